import type { Command } from 'commander';
import type { Db } from '../db/connect.ts';
import { PayrunError } from '../errors.ts';
import { parseId } from '../ids.ts';
import { approveCommissions } from '../ledger/approve.ts';
import { personNamed } from '../ledger/person.ts';
import { formatAmount } from '../money.ts';
import type { Outcome, Work } from '../runs/work.ts';
import { withAccount } from './open.ts';
import { dryRunFlag, dryRunHelp, loginName } from './options.ts';
import { runWork } from './run-job.ts';
import type { Answer, Shell } from './shell.ts';

interface ApproveFlags {
  allOf?: string;
  by?: string;
  dryRun?: boolean;
}

const examples = `
Examples:
  payrun commissions approve com_01kj... com_01kk...   these, where they await approval
  payrun commissions approve --all-of main             everything of the programme "main" that awaits it`;

/** Adds `payrun commissions approve`. */
export function register(program: Command, shell: Shell): void {
  const commissions = program
    .command('commissions')
    .summary('approve commissions, where a programme asks for it')
    .description('Commissions of programmes whose commission_approval is manual.');
  commissions
    .command('approve')
    .description('Approve commissions whose hold has ended, so that they are ready to be paid.')
    .argument('[commission...]', 'their ids')
    .option('--all-of <program>', 'every commission of this programme that awaits approval, by its ref')
    .option('--by <name>', 'who approves; the login name when left out')
    .option(dryRunFlag, dryRunHelp)
    .addHelpText('after', examples)
    .action(shell.does((ids: string[], flags: ApproveFlags) => approve(shell, ids, flags)));
}

async function approve(
  shell: Shell,
  texts: string[],
  { allOf, by, dryRun = false }: ApproveFlags,
): Promise<Answer> {
  if ((texts.length === 0) === (allOf === undefined)) {
    throw new PayrunError('usage', 'Say which commissions: either their ids, or a programme with --all-of.');
  }
  const commissionIds = texts.map((text) => parseId('commission', text));
  return withAccount(shell, async (context, account) => {
    const which =
      allOf === undefined ? { commissionIds } : { programId: await programId(context.db, account.id, allOf) };
    const parameters = {
      commissions: texts,
      all_of: allOf ?? null,
      by: personNamed(by ?? loginName(shell), 'An approval'),
    };
    return runWork(context, account, { name: 'approve-commissions', parameters, dryRun }, (work) =>
      approveIn(work, which, texts.length),
    );
  });
}

/** Done with something left for a person when some of the commissions named did not await approval. */
function approveIn(
  work: Work,
  which: Parameters<typeof approveCommissions>[2],
  named: number,
): Promise<Outcome> {
  const mover = { accountId: work.account.id, runId: work.runId, now: work.context.clock() };
  return work.transaction(async (session) => {
    const { lines, amounts } = await approveCommissions(session, mover, which);
    const left = Math.max(0, named - lines);
    const totals = [...amounts].map(([currency, amount]) => [
      currency,
      { approved: formatAmount(amount, currency) },
    ]);
    return {
      counts: { approved: lines, not_awaiting_approval: left },
      totals: Object.fromEntries(totals),
      exitCode: left > 0 ? 3 : 0,
    };
  });
}

async function programId(db: Db, accountId: number, ref: string): Promise<string> {
  const program = await db.sql
    .selectFrom('program')
    .select('id')
    .where('account_id', '=', accountId)
    .where('ref', '=', ref)
    .executeTakeFirst();
  if (program) return program.id;
  throw new PayrunError('not-found', 'The account has no such programme.', {
    found: ref,
    todo: 'Give the ref that the programme has in payrun.json.',
  });
}
