import { type Selectable, sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import type { Tables } from '../../db/tables.ts';
import { rowOf, theRowOf } from './rows.ts';

type Row<Table extends keyof Tables> = Selectable<Tables[Table]>;

/** A payout, its batch, and the sum of the commissions that point at it now. */
export interface PayoutStory {
  payout: Row<'payout'>;
  batch: Row<'payout_batch'>;
  affiliate: Row<'affiliate'>;
  program: Row<'program'>;
  preparedRun: Row<'run'> | undefined;
  /** The run that brought the payout where it is. */
  run: Row<'run'> | undefined;
  /** In minor units of the payout's currency; zero once a canceled payout has given its commissions back. */
  lines: { count: number; amount: bigint };
  /** The fraction that its rail could not carry, and which the next payout takes up; in minor units. */
  carried: bigint;
}

/** Reads the story of the payout `id`, which exists. To be called in a snapshot. */
export async function readPayout(session: Session, accountId: number, id: string): Promise<PayoutStory> {
  const payout = await theRowOf(session, accountId, 'payout', id);
  const batch = await theRowOf(session, accountId, 'payout_batch', payout.batch_id);
  const lines = await session.sql
    .selectFrom('commission')
    .select([
      sql<number>`count(*)::integer`.as('count'),
      sql<bigint>`coalesce(sum(amount), 0)::bigint`.as('amount'),
    ])
    .where('account_id', '=', accountId)
    .where('payout_id', '=', id)
    .executeTakeFirstOrThrow();
  return {
    payout,
    batch,
    affiliate: await theRowOf(session, accountId, 'affiliate', payout.affiliate_id),
    program: await theRowOf(session, accountId, 'program', payout.program_id),
    preparedRun: await rowOf(session, accountId, 'run', batch.prepared_run_id),
    run: await rowOf(session, accountId, 'run', payout.status_run_id),
    lines,
    carried: await readCarried(session, accountId, payout.reference),
  };
}

/** By the reason, because a payout that came back has given its lines away. */
async function readCarried(session: Session, accountId: number, reference: string): Promise<bigint> {
  const { carried } = await session.sql
    .selectFrom('adjustment')
    .select(sql<bigint>`coalesce(sum(amount), 0)::bigint`.as('carried'))
    .where('account_id', '=', accountId)
    .where('made_by', '=', 'payrun')
    .where('amount', '>', 0n)
    .where('reason', 'like', `the fraction of payout ${reference}:%`)
    .executeTakeFirstOrThrow();
  return carried;
}
