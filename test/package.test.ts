import { execFile } from 'node:child_process';
import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { payrun } from './commands/payrun.ts';
import { testDatabase } from './support/database.ts';
import { emptyFolder } from './support/folder.ts';

const { url } = await testDatabase();

test('the package as it is published plays the night twice, and runs a job of one’s own', async () => {
  const folder = await emptyFolder();
  const cli = path.join(await installPacked(folder), 'dist/cli.js');
  const place = { cwd: folder, url, cli };

  const first = await payrun(['demo'], place);
  expect(first).toMatchObject({ code: 0 });
  expect(first.stdout).toContain('The books balance to the cent.');
  const again = await payrun(['demo'], place);
  expect(again).toMatchObject({ code: 0 });
  expect(again.stdout).toContain('Nothing was recorded or paid twice');

  const demo = path.join(folder, 'payrun-demo');
  await mkdir(path.join(demo, 'jobs'));
  await writeFile(path.join(demo, 'jobs/refuse.mts'), refusing);
  const own = await payrun(['run', 'refuse'], { ...place, cwd: demo });
  // Told as a mistake of the user's and not as a defect: the job and the command share one PayrunError.
  expect(own).toMatchObject({ code: 2 });
  expect(own.stderr).toContain('error: Not today. [usage]');
});

const refusing = `
import { defineJob, PayrunError } from 'payrun';
export default defineJob({
  name: 'refuse',
  summary: 'Refuses.',
  run() {
    throw new PayrunError('usage', 'Not today.');
  },
});
`;

/** Lays out what npm would publish as npm would install it, with the packages that it needs beside it; returns its folder. */
async function installPacked(folder: string): Promise<string> {
  const npm = async (...args: string[]) => (await promisify(execFile)('npm', args)).stdout;
  await npm('run', 'build');
  const [packed] = JSON.parse(await npm('pack', '--dry-run', '--json', '--ignore-scripts')) as [
    { files: { path: string }[] },
  ];
  const place = path.join(folder, 'node_modules/payrun');
  for (const file of packed.files) await cp(file.path, path.join(place, file.path));
  await symlink(path.resolve('node_modules'), path.join(place, 'node_modules'));
  return place;
}
