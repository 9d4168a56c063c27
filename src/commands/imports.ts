import type { Command } from 'commander';
import { parseId } from '../ids.ts';
import { listImports, showImport } from '../imports/import.ts';
import { describeImportHistory, describeImportList, historyData, recordData } from './describe-imports.ts';
import { withAccount } from './open.ts';
import { readCount } from './options.ts';
import type { Answer, Shell } from './shell.ts';

/** Adds `payrun imports list` and `payrun imports show`. */
export function register(program: Command, shell: Shell): void {
  const imports = program
    .command('imports')
    .summary('what was imported: list, show')
    .description('The files that were imported, and what became of them.');
  imports
    .command('list')
    .description('The latest imports, newest first.')
    .option('--limit <count>', 'at most so many', '20')
    .action(shell.does(({ limit }: { limit: string }) => list(shell, limit)));
  imports
    .command('show')
    .description(
      'One import: its counts, totals, rejects, conflicts and warnings, and what it hangs together with.',
    )
    .argument('<import>', 'its id, as "payrun imports list" shows it')
    .action(shell.does((id: string) => show(shell, id)));
}

async function list(shell: Shell, limit: string): Promise<Answer> {
  const count = readCount('--limit', limit);
  return withAccount(shell, async ({ db }, account) => {
    const imports = await listImports(db.sql, account.id, { limit: count });
    return { data: imports.map(recordData), text: (paint) => describeImportList(paint, imports) };
  });
}

async function show(shell: Shell, text: string): Promise<Answer> {
  const importId = parseId('import', text);
  return withAccount(shell, async ({ db, config }, account) => {
    const history = await db.transaction(
      (session) => showImport(session, account.id, { importId, workspace: config.workspace }),
      { snapshot: true },
    );
    return { data: historyData(history), text: (paint) => describeImportHistory(paint, history) };
  });
}
