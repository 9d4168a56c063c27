import type { Session } from '../db/connect.ts';
import { PayrunError } from '../errors.ts';
import { showId } from '../ids.ts';
import { type Undone, undoImport as undo } from '../ledger/undo.ts';
import { formatAmount } from '../money.ts';
import { isLive } from '../runs/lease.ts';
import type { Outcome, Work } from '../runs/work.ts';
import { warningOf } from './landing.ts';
import { takeTurn } from './turn.ts';

export interface UndoOutcome extends Outcome {
  report: {
    import: string;
    file: string;
    by: string;
    reason: string;
    /** What the affiliates had of its sales, as exact decimals; the first of them. */
    affiliates: Record<string, string>[];
    /** What else a person should know. */
    notes: string[];
  };
}

const listed = 20;

/**
 * Takes an import of sales or events back as a set, in one transaction (see `undoImport` of the ledger). Counts and
 * totals say what it had brought, and where the commissions were. Raises what that raises, and `already-running` while
 * the run that imported it, or the one that this is a step of, is under way.
 */
export async function undoImport(
  work: Work,
  choice: { importId: string; by: string; reason: string },
): Promise<UndoOutcome> {
  return work.transaction(async (session, mover) => {
    await takeTurn(session, work);
    await assertEnded(session, work.account.id, choice.importId);
    return outcomeOf(await undo(session, mover, choice), choice);
  });
}

async function assertEnded(session: Session, accountId: number, importId: string): Promise<void> {
  const run = await session.sql
    .selectFrom('run')
    .select(['id', 'job'])
    .where('account_id', '=', accountId)
    .where(isLive)
    .where(({ eb, selectFrom, or }) => {
      const own = selectFrom('import')
        .innerJoin('run as own', (join) =>
          join.onRef('own.account_id', '=', 'import.account_id').onRef('own.id', '=', 'import.run_id'),
        )
        .where('import.account_id', '=', accountId)
        .where('import.id', '=', importId);
      return or([eb('run.id', 'in', own.select('own.id')), eb('run.id', 'in', own.select('own.parent_id'))]);
    })
    .executeTakeFirst();
  if (!run) return;
  throw new PayrunError('already-running', `The run that imported it, a ${run.job}, is still under way.`, {
    found: showId('run', run.id),
  });
}

function outcomeOf(undone: Undone, { by, reason }: { by: string; reason: string }): UndoOutcome {
  const { sums, holdings, booked, counts } = undone;
  const amounts = <T extends { currency: string }>({ currency, ...rest }: T) =>
    Object.fromEntries(
      Object.entries(rest).map(([name, value]) => [
        name,
        typeof value === 'bigint' ? formatAmount(value, currency) : String(value),
      ]),
    );
  const totals: Outcome['totals'] = Object.fromEntries(sums.map((sum) => [sum.currency, amounts(sum)]));
  for (const [currency, amount] of booked)
    totals[currency] = { ...totals[currency], booked: formatAmount(amount, currency) };
  return {
    counts: { ...counts },
    totals,
    report: {
      import: showId('import', undone.import.id),
      file: undone.import.file,
      by: by.trim(),
      reason: reason.trim(),
      affiliates: holdings
        .slice(0, listed)
        .map(({ affiliate, ...held }) => ({ affiliate, currency: held.currency, ...amounts(held) })),
      notes: notesOf(undone),
    },
  };
}

function notesOf({ import: file, sums, holdings, counts }: Undone): string[] {
  const updated = file.counts.updated ?? 0;
  return [
    ...warningOf(
      holdings.length > listed ? holdings.length - listed : 0,
      'more affiliate had commissions of it',
      'more affiliates had commissions of it',
    ),
    ...(sums.some((sum) => sum.in_payout !== 0n || sum.paid !== 0n)
      ? [
          'What payouts that are approved, exported or paid have of it stays in them; the next payout nets it.',
        ]
      : []),
    'The file, and the external ids in it, can be imported again as new.',
    'Referrals that it created stay, with the status that they have.',
    ...warningOf(
      updated,
      'sale was updated by it; a status that it moved on stays, a refund beside a sale is taken back',
      'sales were updated by it; a status that it moved on stays, a refund beside a sale is taken back',
    ),
    ...warningOf(
      counts.accepted_that_stay,
      'version of a sale was accepted from it by a person, and stays',
      'versions of sales were accepted from it by a person, and stay',
    ),
    ...warningOf(
      counts.waiting_again,
      'refund or dispute by other files waits for its sale to be imported again',
      'refunds and disputes by other files wait for their sales to be imported again',
    ),
    ...(counts.sales === 0
      ? []
      : [
          'A sale that stands in another file as well was a duplicate there: import that one with --again to have it recorded.',
        ]),
  ];
}
