import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { payrun } from '../commands/payrun.ts';

/*
 * The list of commands in the README is what --help says. `npm run docs` writes it; the test beside this file fails
 * when it is stale.
 */

const readme = fileURLToPath(new URL('../../README.md', import.meta.url));
const [start, end] = ['<!-- commands -->', '<!-- /commands -->'];

/** The README as it is, and as it would be with a fresh list of commands. */
export async function renderReadme(): Promise<{ present: string; fresh: string }> {
  const present = await readFile(readme, 'utf8');
  const { stdout } = await payrun(['--help'], { cwd: '.' });
  const commands = stdout.slice(stdout.indexOf('A workspace:'), stdout.indexOf('\nExamples:')).trim();
  const block = `${start}\n\`\`\`\n${commands}\n\`\`\`\n${end}`;
  const at = present.indexOf(start);
  const behind = present.indexOf(end) + end.length;
  return { present, fresh: present.slice(0, at) + block + present.slice(behind) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { fresh } = await renderReadme();
  await writeFile(readme, fresh);
}
