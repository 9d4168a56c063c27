import type { Session } from '../../src/db/connect.ts';
import type { CommissionRow } from '../../src/db/tables.ts';
import { assertBalanced } from '../../src/ledger/audit.ts';
import { type Claim, type ClaimPlan, claim } from '../../src/ledger/claim.ts';
import type { World } from '../support/world.ts';

export const february = {
  periodStart: new Date('2026-01-31T23:00:00Z'),
  periodEnd: new Date('2026-02-28T23:00:00Z'),
};
export const march = { periodStart: february.periodEnd, periodEnd: new Date('2026-03-31T22:00:00Z') };

/** The plan of a programme, by default the world's, for February unless it says otherwise. */
export async function planFor(
  world: World,
  plan: Partial<ClaimPlan> = {},
  programId = world.programId,
): Promise<ClaimPlan> {
  const program = await world.db.sql
    .selectFrom('program')
    .selectAll()
    .where('id', '=', programId)
    .executeTakeFirstOrThrow();
  return { program, ...february, preparedBy: 'fin', ...plan };
}

/** Claims in a transaction of its own, under a run of its own, and audits the books before committing. */
export async function claimNow(
  world: World,
  plan: Partial<ClaimPlan> = {},
  programId?: string,
): Promise<Claim> {
  const full = await planFor(world, plan, programId);
  const mover = { ...world.mover, runId: await world.run() };
  return world.db.transaction((session) => claimAndAudit(session, world, mover, full));
}

export async function claimAndAudit(session: Session, world: World, mover: World['mover'], plan: ClaimPlan) {
  const claimed = await claim(session, mover, plan);
  await assertBalanced(session, world.accountId);
  return claimed;
}

export const ready = (values: Partial<CommissionRow> = {}): Partial<CommissionRow> => ({
  status: 'ready_for_payment',
  ...values,
});

export const payoutsOf = (world: World) =>
  world.db.sql
    .selectFrom('payout')
    .selectAll()
    .where('account_id', '=', world.accountId)
    .orderBy('amount')
    .execute();
export const batchesOf = (world: World) =>
  world.db.sql
    .selectFrom('payout_batch')
    .selectAll()
    .where('account_id', '=', world.accountId)
    .orderBy('id')
    .execute();
export const leftOutOf = (world: World) =>
  world.db.sql.selectFrom('left_out').selectAll().where('account_id', '=', world.accountId).execute();
export const commissionsOf = (world: World) =>
  world.db.sql
    .selectFrom('commission')
    .selectAll()
    .where('account_id', '=', world.accountId)
    .orderBy('id')
    .execute();
