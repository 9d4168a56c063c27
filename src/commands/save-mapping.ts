import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { applyEdits, findNodeAtLocation, modify, parseTree } from 'jsonc-parser';
import { type Config, checkConfig } from '../config.ts';
import type { Context } from '../context.ts';
import { applyAccounts } from '../db/apply.ts';
import type { Db } from '../db/connect.ts';
import { replaceFile } from '../disk.ts';
import { PayrunError } from '../errors.ts';
import { type Choice, proposeSource } from '../imports/import.ts';
import { describePlan } from './apply.ts';
import type { Account } from './open.ts';
import type { Shell } from './shell.ts';

/**
 * Accepts the proposed mapping of `file`: adds it to payrun.json as the source `ref`, comments and all else kept as
 * they are, and makes the database agree, as `payrun apply` does. Returns the context with the new configuration. A dry
 * run writes nothing. Raises `usage` for a ref that is taken or none, `file-refused` where the proposal has gaps.
 */
export async function saveMapping(
  shell: Shell,
  context: Context<Db>,
  account: Account,
  { file, ref, choice, dryRun }: { file: string; ref: string; choice: Choice; dryRun: boolean },
): Promise<Context<Db>> {
  const at = context.config.accounts.findIndex((one) => one.ref === account.ref);
  const known = context.config.accounts[at]?.sources ?? [];
  if (known.some((source) => source.ref === ref)) {
    throw new PayrunError('usage', `payrun.json has a source "${ref}" already.`, {
      todo: `Import with --source ${ref}, or save the mapping under another name.`,
    });
  }
  const { source, unused } = await proposeSource({ context, account }, file, ref, choice);
  const target = path.join(context.config.workspace, 'payrun.json');
  const before = await readFile(target, 'utf8');
  const mark = before.startsWith('\uFEFF') ? '\uFEFF' : '';
  const text = withSource(before.slice(mark.length), at, source);
  const config = configOf(text, context.config, ref);
  const saved = { ...context, config };
  for (const one of unused) shell.say(`Columns ${one}`);
  if (dryRun) {
    shell.say(`This would be added to the sources of payrun.json:\n${JSON.stringify(source, null, 2)}`);
    return saved;
  }
  await replaceFile(target, mark + text);
  shell.say(`The source "${ref}" was added to payrun.json.`);
  await applyAccounts(context.db, config.accounts, shell.clock(), {
    show: (plan) => shell.show((paint) => `${describePlan(paint, plan)}\n`),
  });
  return saved;
}

/**
 * The text of a payrun.json with one more source in the account at `index`. The text around it stays letter for letter,
 * which the formatting of the library would not leave it.
 */
function withSource(text: string, index: number, source: Record<string, unknown>): string {
  const place = ['accounts', index, 'sources'];
  const tree = parseTree(text, [], { allowTrailingComma: true });
  const list = tree && findNodeAtLocation(tree, place);
  const edits =
    list?.type === 'array'
      ? modify(text, [...place, -1], source, { isArrayInsertion: true })
      : modify(text, place, [source], {});
  const isFirst = !list?.children?.length;
  const laidOut = `\n${JSON.stringify(source, null, 2).replaceAll(/^/gm, '        ')}${isFirst ? '\n      ' : ''}`;
  const contents = edits.map(({ content }) =>
    content.replace(JSON.stringify(source), () => laidOut).replace(/^,(?="sources")/, ',\n      '),
  );
  return applyEdits(
    text,
    edits.map((edit, at) => ({ ...edit, content: contents[at]! })),
  );
}

function configOf(text: string, before: Config, ref: string): Config {
  const read = checkConfig(text);
  if ('config' in read) return { ...before, ...read.config };
  const [fault] = read.faults;
  throw new PayrunError(
    'usage',
    `payrun.json can't hold a source "${ref}": ${fault?.path} ${fault?.message}.`,
  );
}
