import path from 'node:path';
import type { Command } from 'commander';
import { PayrunError } from '../errors.ts';
import { parseId } from '../ids.ts';
import { personNamed } from '../ledger/person.ts';
import { type MarkChoice, settleByHand } from '../payouts/payout.ts';
import { withAccount } from './open.ts';
import { byFlag, byHelp, dryRunFlag, dryRunHelp, reasonFlag, reasonHelp } from './options.ts';
import { runWork } from './run-job.ts';
import type { Answer, Shell } from './shell.ts';

interface MarkFlags {
  by: string;
  batch?: string;
  file?: string;
  reference?: string;
  reason?: string;
  dryRun?: boolean;
}

const examples = `
Which payouts, one of these ways:
  <payout...>          their references of twelve characters, or their ids
  --batch pob_01kj...  all of the batch that is exported
  --file answers.csv   a header and a row each: reference, status (paid, failed or returned), provider reference, reason; what a row leaves out is as the command and its options say

All of them are marked, or none; again with the same changes nothing.`;

/** Adds `payrun payouts mark-paid|mark-failed|mark-returned`. */
export function registerMarks(payouts: Command, shell: Shell): void {
  const add = (outcome: 'paid' | 'failed' | 'returned', description: string) =>
    payouts
      .command(`mark-${outcome}`)
      .description(description)
      .argument('[payout...]', 'references, or ids')
      .option('--batch <batch>', 'all of this batch that is exported')
      .option('--file <csv>', 'what the file says of each')
      .option('--reference <text>', "the provider's or the bank's reference")
      .option(reasonFlag, reasonHelp)
      .requiredOption(byFlag, byHelp)
      .option(dryRunFlag, dryRunHelp)
      .addHelpText('after', examples)
      .action(shell.does((texts: string[], flags: MarkFlags) => mark(shell, outcome, texts, flags)));
  add('paid', 'Mark exported payouts as paid, by name.');
  add('failed', 'Mark exported payouts as failed, by name; their commissions are ready to be paid again.');
  add(
    'returned',
    'Mark payouts that came back, even after they were paid; their commissions are ready to be paid again.',
  );
}

async function mark(
  shell: Shell,
  outcome: 'paid' | 'failed' | 'returned',
  texts: string[],
  { dryRun = false, ...flags }: MarkFlags,
): Promise<Answer> {
  const by = personNamed(flags.by, 'Marking payouts');
  const choice = choose(shell, texts, flags);
  const { reference, reason } = flags;
  const parameters = { payouts: texts, batch: flags.batch ?? null, file: flags.file ?? null };
  return withAccount(shell, (context, account) =>
    runWork(
      context,
      account,
      { name: `mark-${outcome}`, parameters: { ...parameters, reference, reason, by }, dryRun },
      (work) => settleByHand(work, { choice, outcome, reference, reason, by }),
    ),
  );
}

function choose(shell: Shell, texts: string[], { batch, file }: MarkFlags): MarkChoice {
  const ways = [texts.length > 0, batch !== undefined, file !== undefined].filter(Boolean).length;
  if (ways !== 1) {
    throw new PayrunError('usage', 'Say which payouts, in one way.', {
      todo: 'Give their references, or a batch with --batch, or a file with --file.',
    });
  }
  if (batch !== undefined) return { batchId: parseId('batch', batch) };
  return file === undefined ? { payouts: texts } : { file: path.resolve(shell.cwd, file) };
}
