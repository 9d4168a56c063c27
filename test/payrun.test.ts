import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { ended } from './commands/payrun.ts';
import { emptyFolder } from './support/folder.ts';

test('the package as it is installed starts the Node that came along where the machine’s own is too old', async () => {
  const { dependencies } = JSON.parse(await readFile('package.json', 'utf8'));
  const folder = await emptyFolder();
  const launcher = await installed(folder);
  const started = async () => {
    const child = spawn(process.execPath, ['--import', asNode20, launcher, 'one', 'two'], { cwd: folder });
    return ended(child);
  };
  const missing = await started();
  expect(missing).toMatchObject({ code: 2, stdout: '' });
  expect(missing.stderr).toContain('Payrun needs Node 22.18 or newer; this is v20.19.0. [usage]');
  expect(missing.stderr).not.toContain('    at ');

  // Where npm has put it, beside the package, and not within.
  await symlink(path.resolve('node_modules/node'), path.join(folder, 'node_modules', 'node'));
  expect(await started()).toMatchObject({ code: 7, stdout: `v${dependencies.node} one two\n`, stderr: '' });
});

test('a launcher that is killed takes the Node that it started along', async () => {
  const folder = await emptyFolder();
  const launcher = await installed(
    folder,
    `const day = setInterval(() => {}, 86_400_000);
     process.on('SIGTERM', () => { console.log('told to stop'); clearInterval(day); });
     console.log('at work');`,
  );
  await symlink(path.resolve('node_modules/node'), path.join(folder, 'node_modules', 'node'));
  const child = spawn(process.execPath, ['--import', asNode20, launcher, 'start'], { cwd: folder });
  // Its output ends with the last process that holds it.
  const end = ended(child);
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  expect(await end).toMatchObject({ stdout: 'at work\ntold to stop\n', stderr: '' });
});

/** A preload by which a process takes itself for Node 20. */
const asNode20 = `data:text/javascript,${encodeURIComponent(
  `Object.defineProperty(process, 'version', { value: 'v20.19.0' });
   Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.19.0' } });`,
)}`;

/** Lays Payrun out as npm installs it, with a built command that says by what it was started; returns the launcher. */
async function installed(
  folder: string,
  command = 'console.log(process.version, ...process.argv.slice(2)); process.exitCode = 7;',
): Promise<string> {
  const place = path.join(folder, 'node_modules', 'payrun');
  for (const part of ['src', 'dist']) await mkdir(path.join(place, part), { recursive: true });
  await writeFile(path.join(place, 'package.json'), '{ "type": "module" }');
  await writeFile(path.join(place, 'dist/cli.js'), command);
  const launcher = path.join(place, 'src/payrun.js');
  await copyFile('src/payrun.js', launcher);
  return launcher;
}
