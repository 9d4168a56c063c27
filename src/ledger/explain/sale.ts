import type { Selectable } from 'kysely';
import type { Session } from '../../db/connect.ts';
import type { Tables } from '../../db/tables.ts';
import { type LeftOut, readLeftOut } from './left-out.ts';
import { rowOf, theRowOf } from './rows.ts';

type Row<Table extends keyof Tables> = Selectable<Tables[Table]>;

/** A conversion, its commission, and everything that decided about them. */
export interface SaleStory {
  conversion: Row<'conversion'>;
  /** Undefined where the sale earned none; the conversion says why. */
  commission: Row<'commission'> | undefined;
  affiliate: Row<'affiliate'>;
  program: Row<'program'>;
  /** The rule by which it earned; undefined for the programme's default. */
  incentive: Row<'incentive'> | undefined;
  /** The file that the sale came in. */
  import: Row<'import'> | undefined;
  /** The run that brought the commission where it is. */
  run: Row<'run'> | undefined;
  payout: Row<'payout'> | undefined;
  batch: Row<'payout_batch'> | undefined;
  /** The last time that the affiliate was not paid from this programme in the commission's currency. */
  leftOut: LeftOut | undefined;
  /** Rows that came later under the same id with other facts. */
  conflicts: Row<'conflict'>[];
  /** Its refunds, by when they occurred, each with what it took back; that is missing where it rounded to zero. */
  refunds: {
    refund: Row<'refund'>;
    reversal: Row<'commission'> | undefined;
    payout: Row<'payout'> | undefined;
  }[];
  /** Refunds that wait although the sale is known, because they do not fit it. */
  waiting: Row<'parked_refund'>[];
  disputes: Row<'dispute'>[];
  /** What corrected it, in order, each with the line that was booked; that is missing where it would have been zero. */
  corrections: {
    correction: Row<'correction'>;
    line: Row<'commission'> | undefined;
    payout: Row<'payout'> | undefined;
    /** The version that was accepted, or the import that was undone. */
    conflict: Row<'conflict'> | undefined;
    import: Row<'import'> | undefined;
  }[];
  /** The conflict by whose acceptance it was recorded, in place of another affiliate's sale. */
  acceptedAs: Row<'conflict'> | undefined;
}

/** Reads the story of the conversion `id`, which exists. To be called in a snapshot. */
export async function readSale(session: Session, accountId: number, id: string): Promise<SaleStory> {
  const conversion = await theRowOf(session, accountId, 'conversion', id);
  const commission = await rowOf(session, accountId, 'commission', id);
  const payout = await rowOf(session, accountId, 'payout', commission?.payout_id);
  const corrections = await readCorrections(session, accountId, id);
  const terms = termsOf(corrections.map(({ correction }) => correction));
  const leftOut = await readLeftOut(session, accountId, conversion.affiliate_id, 20);
  return {
    conversion,
    commission,
    affiliate: await theRowOf(session, accountId, 'affiliate', conversion.affiliate_id),
    program: await theRowOf(session, accountId, 'program', conversion.program_id),
    incentive: await rowOf(session, accountId, 'incentive', (terms ?? commission)?.incentive_id),
    import: await rowOf(session, accountId, 'import', conversion.import_id),
    run: await rowOf(session, accountId, 'run', commission?.status_run_id),
    payout,
    batch: await rowOf(session, accountId, 'payout_batch', payout?.batch_id),
    leftOut: leftOut.find(
      (one) => one.programId === conversion.program_id && one.currency === commission?.currency,
    ),
    conflicts: await session.sql
      .selectFrom('conflict')
      .selectAll()
      .where('account_id', '=', accountId)
      .where('conversion_id', '=', id)
      .orderBy('id')
      .execute(),
    refunds: await readRefunds(session, accountId, id),
    waiting: await session.sql
      .selectFrom('parked_refund')
      .selectAll()
      .where('account_id', '=', accountId)
      .where('sale_external_id', '=', conversion.external_id)
      .orderBy('id')
      .execute(),
    disputes: await session.sql
      .selectFrom('dispute')
      .selectAll()
      .where('account_id', '=', accountId)
      .where('conversion_id', '=', id)
      .orderBy('id')
      .execute(),
    corrections,
    acceptedAs: await session.sql
      .selectFrom('conflict')
      .selectAll()
      .where('account_id', '=', accountId)
      .where('import_id', '=', conversion.import_id)
      .where('line', '=', conversion.line)
      .where('status', '=', 'accepted')
      .where('conversion_id', '<>', id)
      .executeTakeFirst(),
  };
}

/** The last of a sale's corrections that brought terms, by which it earns since. */
export function termsOf(corrections: Row<'correction'>[]): Row<'correction'> | undefined {
  return corrections.findLast((one) => one.rate_ppm !== null || one.fixed_amount !== null);
}

async function readCorrections(
  session: Session,
  accountId: number,
  id: string,
): Promise<SaleStory['corrections']> {
  const corrections = await session.sql
    .selectFrom('correction')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('conversion_id', '=', id)
    .orderBy('place')
    .execute();
  const told: SaleStory['corrections'] = [];
  for (const correction of corrections) {
    const line = await rowOf(session, accountId, 'commission', correction.id);
    told.push({
      correction,
      line,
      payout: await rowOf(session, accountId, 'payout', line?.payout_id),
      conflict: await rowOf(session, accountId, 'conflict', correction.conflict_id),
      import: await rowOf(session, accountId, 'import', correction.import_id),
    });
  }
  return told;
}

async function readRefunds(session: Session, accountId: number, id: string): Promise<SaleStory['refunds']> {
  const refunds = await session.sql
    .selectFrom('refund')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('conversion_id', '=', id)
    .orderBy('occurred_at')
    .orderBy('id')
    .execute();
  const told: SaleStory['refunds'] = [];
  for (const refund of refunds) {
    const reversal = await rowOf(session, accountId, 'commission', refund.id);
    const payout = await rowOf(session, accountId, 'payout', reversal?.payout_id);
    told.push({ refund, reversal, payout });
  }
  return told;
}
