import type { Command } from 'commander';
import { PayrunError } from '../errors.ts';
import { parseId, showId } from '../ids.ts';
import { personNamed } from '../ledger/person.ts';
import { approvePayouts, cancelPayouts, exportPayouts } from '../payouts/payout.ts';
import { withAccount } from './open.ts';
import { byFlag, byHelp, dryRunFlag, dryRunHelp, reasonFlag, reasonHelp } from './options.ts';
import { registerMarks } from './payouts-mark.ts';
import { registerPrepare } from './payouts-prepare.ts';
import { registerViews } from './payouts-views.ts';
import { runWork } from './run-job.ts';
import type { Answer, Shell } from './shell.ts';

interface DryRun {
  dryRun?: boolean;
}

const examples = `
From ready to paid:
  payrun payouts prepare --by "Ada L." --dry-run  who would get what, and who is left out and why
  payrun payouts prepare --by "Ada L."            make the payouts: drafts, where the programme wants an approval
  payrun payouts list --status draft              what waits for an approval
  payrun payouts show pob_01kj...                 one batch, payout by payout
  payrun payouts approve pob_01kj... --by "Bea M."
  payrun payouts export                           write the files of all that is approved into outbox/
  payrun payouts mark-paid 7K3MQ9ZX42AB --reference PP-123 --by "Ada L."
  payrun payouts mark-paid --batch pob_01kj... --reference PP-123 --by "Ada L."
  payrun payouts mark-returned 7K3MQ9ZX42AB --reason "account closed" --by "Ada L."   to be paid again`;

/** Adds `payrun payouts prepare|list|show|approve|cancel|export|mark-paid|mark-failed|mark-returned`. */
export function register(program: Command, shell: Shell): void {
  const payouts = program
    .command('payouts')
    .summary('prepare, approve, export and settle payouts')
    .description('Payouts, from preparing them to their being paid.')
    .addHelpText('after', examples);
  registerPrepare(payouts, shell);
  registerViews(payouts, shell);
  payouts
    .command('approve')
    .description('Approve a draft batch, so that it can be exported.')
    .argument('<batch>', 'its id, as "payrun payouts list" shows it')
    .requiredOption(byFlag, byHelp)
    .option(dryRunFlag, dryRunHelp)
    .action(shell.does((batch: string, options: DryRun & { by: string }) => approve(shell, batch, options)));
  payouts
    .command('cancel')
    .description('Cancel a batch that has not left; its commissions are ready again.')
    .argument('<batch>', 'its id')
    .requiredOption(byFlag, byHelp)
    .requiredOption(reasonFlag, reasonHelp)
    .option(dryRunFlag, dryRunHelp)
    .action(
      shell.does((batch: string, options: DryRun & { by: string; reason: string }) =>
        cancel(shell, batch, options),
      ),
    );
  payouts
    .command('export')
    .description(
      'Write the files of an approved batch, or of all of them, into outbox/. Again gives the same bytes.',
    )
    .argument('[batch]', 'its id; every approved batch when left out')
    .option('--format <name>', 'another layout than that of the payout method: "report" for people')
    .option('--detail', 'the report with one row a commission')
    .option(dryRunFlag, dryRunHelp)
    .action(
      shell.does((batch: string | undefined, options: ExportFlags) => exportFiles(shell, batch, options)),
    );
  registerMarks(payouts, shell);
}

async function approve(
  shell: Shell,
  text: string,
  { by, dryRun = false }: DryRun & { by: string },
): Promise<Answer> {
  const batchId = parseId('batch', text);
  const approver = personNamed(by, 'An approval');
  return withAccount(shell, async (context, account) => {
    const parameters = { batch: showId('batch', batchId), by: approver };
    return runWork(context, account, { name: 'approve-payouts', parameters, dryRun }, (work) =>
      approvePayouts(work, { batchId, by: approver }),
    );
  });
}

async function cancel(
  shell: Shell,
  text: string,
  { by, reason, dryRun = false }: DryRun & { by: string; reason: string },
): Promise<Answer> {
  const batchId = parseId('batch', text);
  const parameters = { batch: showId('batch', batchId), reason, by: personNamed(by, 'Canceling payouts') };
  return withAccount(shell, (context, account) =>
    runWork(context, account, { name: 'cancel-payouts', parameters, dryRun }, (work) =>
      cancelPayouts(work, { batchId, reason }),
    ),
  );
}

interface ExportFlags extends DryRun {
  format?: string;
  detail?: boolean;
}

async function exportFiles(
  shell: Shell,
  text: string | undefined,
  { format, detail, dryRun = false }: ExportFlags,
): Promise<Answer> {
  const batchId = text === undefined ? undefined : parseId('batch', text);
  if (batchId === undefined && (format !== undefined || detail)) {
    throw new PayrunError('usage', 'A layout is chosen for one batch.', {
      todo: 'Name the batch: "payrun payouts export <batch> --detail". "payrun payouts list" shows which there are.',
    });
  }
  const parameters = { batch: batchId && showId('batch', batchId), format, detail };
  return withAccount(shell, (context, account) =>
    runWork(context, account, { name: 'export-payouts', parameters, dryRun }, (work) =>
      exportPayouts(work, { batchId, format, detail }),
    ),
  );
}
