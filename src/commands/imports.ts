import type { Command } from 'commander';
import { PayrunError } from '../errors.ts';
import { parseId, showId } from '../ids.ts';
import { listImports, showImport, undoImport, viewImport } from '../imports/import.ts';
import { describeImportHistory, describeImportList, historyData } from './describe-imports.ts';
import { withAccount } from './open.ts';
import { dryRunFlag, dryRunHelp, readCount } from './options.ts';
import { runWork } from './run-job.ts';
import type { Answer, Shell } from './shell.ts';

const examples = `
Examples:
  payrun imports show imp_01kj...                                          what it brought, and what became of it
  payrun imports undo imp_01kj... --by Ada --reason "wrong month" --dry-run  what taking it back would do
  payrun imports undo imp_01kj... --by Ada --reason "wrong month"            take it back`;

interface UndoFlags {
  by?: string;
  reason?: string;
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
    .option('--limit <count>', 'at most so many', '20')
    .option('--rejects', 'only those with rejected rows that nobody has corrected and imported again')
    .action(shell.does((flags: { limit: string; rejects?: boolean }) => list(shell, flags)));
  imports
    .command('show')
    .description(
      'One import: its counts, totals, rejects, conflicts and warnings, and what it hangs together with.',
    )
    .argument('<import>', 'its id, as "payrun imports list" shows it')
    .action(shell.does((id: string) => show(shell, id)));
  imports
    .command('undo')
    .description(
      'Take an import of sales or events back as a set: unpaid commissions leave the books, paid ones become a debt that the next payout nets; the file can be imported again.',
    )
    .argument('<import>', 'its id')
    .option('--by <name>', 'who decides')
    .option('--reason <text>', 'why')
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
  const importId = parseId('import', text);
  return withAccount(shell, async ({ db, config }, account) => {
    const history = await db.transaction(
      (session) => showImport(session, account.id, { importId, workspace: config.workspace }),
      { snapshot: true },
    );
    return { data: historyData(history), text: (paint) => describeImportHistory(paint, history) };
  });
}

async function undo(shell: Shell, text: string, { by, reason, dryRun = false }: UndoFlags): Promise<Answer> {
  const importId = parseId('import', text);
  if (by === undefined || reason === undefined)
    throw new PayrunError('usage', 'Undoing an import needs a reason and the name of who decides it.', {
      todo: 'Give both: --by Ada --reason "the wrong month". With --dry-run nothing is kept.',
    });
  const parameters = { import: showId('import', importId), by, reason };
  return withAccount(shell, (context, account) =>
    runWork(context, account, { name: 'undo-import', parameters, dryRun }, (work) =>
      undoImport(work, { importId, by, reason }),
    ),
  );
}
