import type { Command } from 'commander';
import { PayrunError } from '../errors.ts';
import { parseId, readId, showId } from '../ids.ts';
import { importsOfFile, listImports, showImport, undoImport, viewImport } from '../imports/import.ts';
import { describeImportHistory, describeImportList, historyData } from './describe-imports.ts';
import { withAccount } from './open.ts';
import {
  byFlag,
  byHelp,
  dryRunFlag,
  dryRunHelp,
  limitFlag,
  limitHelp,
  readCount,
  reasonFlag,
  reasonHelp,
} from './options.ts';
import { runWork } from './run-job.ts';
import type { Answer, Shell } from './shell.ts';

const examples = `
Examples:
  payrun imports show imp_01kj...                                          what it brought, and what became of it
  payrun imports undo imp_01kj... --by Ada --reason "wrong month" --dry-run  what taking it back would do
  payrun imports undo imp_01kj... --by Ada --reason "wrong month"            take it back`;

interface UndoFlags {
  by: string;
  reason: string;
  dryRun?: boolean;
}

/** Adds `payrun imports list`, `show` and `undo`. */
export function register(program: Command, shell: Shell): void {
  const imports = program
    .command('imports')
    .summary('what was imported: list, show, undo')
    .description('The files that were imported, and what became of them.')
    .addHelpText('after', examples);
  imports
    .command('list')
    .description('The latest imports, newest first.')
    .option(limitFlag, limitHelp, '20')
    .option('--rejects', 'only those with rejected rows that nobody has corrected and imported again')
    .action(shell.does((flags: { limit: string; rejects?: boolean }) => list(shell, flags)));
  imports
    .command('show')
    .description(
      'One import: its counts, totals, rejects, conflicts and warnings, and what it hangs together with.',
    )
    .argument('<import>', 'its id, as "payrun imports list" shows it, or the name of its file')
    .action(shell.does((id: string) => show(shell, id)));
  imports
    .command('undo')
    .description(
      'Take an import of sales or events back as a set: unpaid commissions leave the books, paid ones become a debt that the next payout nets; the file can be imported again.',
    )
    .argument('<import>', 'its id')
    .requiredOption(byFlag, byHelp)
    .requiredOption(reasonFlag, reasonHelp)
    .option(dryRunFlag, dryRunHelp)
    .action(shell.does((id: string, flags: UndoFlags) => undo(shell, id, flags)));
}

async function list(
  shell: Shell,
  { limit, rejects: isOpen }: { limit: string; rejects?: boolean },
): Promise<Answer> {
  const count = readCount('--limit', limit);
  return withAccount(shell, async ({ db }, account) => {
    const imports = await listImports(db.sql, account.id, { limit: count, isOpen });
    return {
      data: imports.map(viewImport),
      text: (paint) =>
        imports.length === 0 && isOpen
          ? 'No rejected row waits to be corrected.'
          : describeImportList(paint, imports),
    };
  });
}

async function show(shell: Shell, text: string): Promise<Answer> {
  return withAccount(shell, async ({ db, config }, account) => {
    const named = readId(text) ? undefined : await importsOfFile(db.sql, account.id, text);
    if (named?.length === 0)
      throw new PayrunError('not-found', 'No import has this id, and none is of a file with this name.', {
        found: text,
        todo: 'Check how it is written; "payrun imports list" shows what there is.',
      });
    if (named && named.length > 1)
      return { data: named.map(viewImport), text: (paint) => describeImportList(paint, named) };
    const importId = named?.[0]?.id ?? parseId('import', text);
    const history = await db.transaction(
      (session) => showImport(session, account.id, { importId, workspace: config.workspace }),
      { snapshot: true },
    );
    return { data: historyData(history), text: (paint) => describeImportHistory(paint, history) };
  });
}

async function undo(shell: Shell, text: string, { by, reason, dryRun = false }: UndoFlags): Promise<Answer> {
  const importId = parseId('import', text);
  const parameters = { import: showId('import', importId), by, reason };
  return withAccount(shell, (context, account) =>
    runWork(context, account, { name: 'undo-import', parameters, dryRun }, (work) =>
      undoImport(work, { importId, by, reason }),
    ),
  );
}
