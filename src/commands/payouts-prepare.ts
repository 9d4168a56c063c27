import type { Command } from 'commander';
import { csv } from '../csv.ts';
import { PayrunError } from '../errors.ts';
import { personNamed } from '../ledger/person.ts';
import { harmless } from '../spreadsheet.ts';
import { type ListFlags, withListFlags } from './lists.ts';
import { asOfFlag, asOfHelp, byFlag, byHelp, dryRunFlag, dryRunHelp, readCount } from './options.ts';
import { type RunJobOptions, runJob } from './run-job.ts';
import type { Answer, Shell } from './shell.ts';

interface PrepareFlags extends RunJobOptions, ListFlags {
  by: string;
  affiliate?: string;
}

const examples = `
The report lists the first who get something, by name; with --dry-run the options --affiliate, --after and --limit say
which, and --csv prints all of them. What was prepared is listed by "payrun payouts show".`;

/** Adds `payrun payouts prepare`. */
export function registerPrepare(payouts: Command, shell: Shell): void {
  const prepare = payouts
    .command('prepare')
    .description('Gather what is ready into payouts, for the latest period that has closed.')
    .requiredOption(byFlag, byHelp)
    .option(asOfFlag, asOfHelp)
    .option(dryRunFlag, dryRunHelp)
    .option('--affiliate <name>', 'of a dry run, list only this affiliate: ref, short code, e-mail or id')
    .addHelpText('after', examples);
  withListFlags(prepare).action(shell.does((flags: PrepareFlags) => run(shell, flags)));
}

async function run(shell: Shell, flags: PrepareFlags): Promise<Answer> {
  const { affiliate, after, csv: asCsv = false, limit } = flags;
  const isChosen = [affiliate, after, limit].some((flag) => flag !== undefined) || asCsv;
  if (isChosen && !flags.dryRun) {
    throw new PayrunError('usage', 'Who is listed can be chosen for a dry run only.', {
      todo: 'Add --dry-run; or prepare, and list the payouts with "payrun payouts show <batch>".',
    });
  }
  if (asCsv && shell.globals().json) {
    throw new PayrunError('usage', 'A list is printed either as CSV or as JSON.', {
      todo: 'Leave out --csv or --json.',
    });
  }
  const atMost = limit === undefined ? undefined : readCount('--limit', limit);
  const payees = { affiliate, after, limit: atMost ?? (asCsv ? everyone : undefined) };
  const preparedBy = personNamed(flags.by, 'Preparing payouts');
  const answer = await runJob(shell, 'prepare-payouts', flags, () => ({
    prepared_by: preparedBy,
    ...(isChosen ? { payees } : {}),
  }));
  return asCsv ? { ...answer, text: () => payeesCsv(answer) } : answer;
}

const everyone = 10_000_000;

/** The payees of a preparation's report as CSV, without a final newline. */
function payeesCsv({ data }: Answer): string {
  const { report } = data as { report: { payees: Record<string, string | number>[] } };
  const columns = ['affiliate', 'name', 'method', 'commissions', 'amount', 'currency'];
  const rows = report.payees.map((payee) => columns.map((column) => harmless(String(payee[column]))));
  return csv([columns, ...rows], '\n').slice(0, -1);
}
