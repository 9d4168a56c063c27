import type { Command } from 'commander';
import { PayrunError } from '../errors.ts';
import { showId } from '../ids.ts';
import { type Approved, approveCommissions } from '../ledger/approve.ts';
import { listCommissions } from '../ledger/commissions.ts';
import { findSubject } from '../ledger/explain.ts';
import { findProgram } from '../ledger/named.ts';
import { personNamed } from '../ledger/person.ts';
import { formatAmount } from '../money.ts';
import type { Outcome, Work } from '../runs/work.ts';
import { registerList } from './commissions-list.ts';
import { type Account, withAccount } from './open.ts';
import { byFlag, byHelp, dryRunFlag, dryRunHelp } from './options.ts';
import { runWork } from './run-job.ts';
import type { Answer, Shell } from './shell.ts';

interface ApproveFlags {
  allOf?: string;
  by: string;
  dryRun?: boolean;
}

const examples = `
Examples:
  payrun commissions list --status awaiting            what waits for an approval
  payrun commissions list --held                       what has ended its hold and does not move, and why
  payrun commissions list --affiliate ada --csv        all of an affiliate's, for a spreadsheet
  payrun commissions approve --all-of main --by Ada --dry-run   who would get what
  payrun commissions approve --all-of main --by Ada             everything of the programme "main" that awaits it
  payrun commissions approve INV-1001 com_01kk... --by Ada      these, where they await approval`;

/** Adds `payrun commissions list` and `approve`. */
export function register(program: Command, shell: Shell): void {
  const commissions = program
    .command('commissions')
    .summary('list commissions, and approve them where a programme asks for it')
    .description(
      'Commissions: where they are and why, and their approval where commission_approval is manual.',
    )
    .addHelpText('after', examples);
  registerList(commissions, shell);
  commissions
    .command('approve')
    .description('Approve commissions whose hold has ended, so that they are ready to be paid.')
    .argument('[commission...]', 'their ids, or the external ids of their sales')
    .option('--all-of <program>', 'every commission of this programme that awaits approval, by its ref')
    .requiredOption(byFlag, byHelp)
    .option(dryRunFlag, dryRunHelp)
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
  return withAccount(shell, async (context, account) => {
    const which =
      allOf === undefined
        ? { commissionIds: await idsOf(context, account, texts) }
        : { programId: (await findProgram(context.db, account.id, allOf)).id };
    const parameters = {
      commissions: texts,
      all_of: allOf ?? null,
      by: personNamed(by, 'An approval'),
    };
    return runWork(context, account, { name: 'approve-commissions', parameters, dryRun }, (work) =>
      approveIn(work, which, new Set(texts).size),
    );
  });
}

/** The commissions that a person names by their ids, or by the external ids of their sales. Raises `usage` and `not-found`. */
async function idsOf({ db }: Work['context'], account: Account, texts: string[]): Promise<string[]> {
  return db.session(async (session) => {
    const ids: string[] = [];
    for (const text of texts) {
      const { kind, id } = await findSubject(session, account.id, text);
      if (kind !== 'sale' && kind !== 'adjustment') {
        throw new PayrunError('usage', 'This is no commission, and no sale that has one.', { found: text });
      }
      ids.push(id);
    }
    return ids;
  });
}

/** How many of them are named one by one. */
const namedAtMost = 50;

/** Done with something left for a person when some of the commissions named did not await approval. */
function approveIn(
  work: Work,
  which: Parameters<typeof approveCommissions>[2],
  named: number,
): Promise<Outcome> {
  return work.transaction(async (session, mover) => {
    const approved = await approveCommissions(session, mover, which);
    const lines = approved.reduce((sum, one) => sum + one.lines, 0);
    const left = Math.max(0, named - lines);
    const ids = approved.flatMap((one) => one.ids).sort();
    const list = await listCommissions(session, work.account.id, { ids: ids.slice(0, namedAtMost) });
    const { rows } = await list.page({ limit: namedAtMost });
    return {
      counts: { approved: lines, not_awaiting_approval: left },
      totals: totalsOf(approved),
      report: {
        affiliates: approved
          .slice(0, namedAtMost)
          .map(({ affiliate, name, lines: commissions, amount, currency }) => ({
            affiliate,
            name,
            commissions,
            amount: formatAmount(amount, currency),
            currency,
          })),
        commissions: rows.map(({ id, sale, affiliate, amount, currency, note }) => ({
          commission: showId('commission', id),
          sale,
          affiliate,
          amount: formatAmount(amount, currency),
          currency,
          note,
        })),
      },
      exitCode: left > 0 ? 3 : 0,
    };
  });
}

function totalsOf(approved: Approved[]): Outcome['totals'] {
  const sums = new Map<string, bigint>();
  for (const { currency, amount } of approved) sums.set(currency, (sums.get(currency) ?? 0n) + amount);
  return Object.fromEntries(
    [...sums].sort().map(([currency, sum]) => [currency, { approved: formatAmount(sum, currency) }]),
  );
}
