import { expect } from 'vitest';
import type { Db } from '../../src/db/connect.ts';
import type { AffiliateRow, CommissionRow, ProgramRow } from '../../src/db/tables.ts';
import { showId } from '../../src/ids.ts';
import { exportPayouts, preparePayouts } from '../../src/payouts/payout.ts';
import type { Outcome, Work } from '../../src/runs/work.ts';
import { emptyFolder } from '../support/folder.ts';
import { outboxOf, testWork } from '../support/work.ts';
import { World } from '../support/world.ts';

export interface Payee {
  affiliate?: Partial<AffiliateRow>;
  commissions?: Partial<CommissionRow>[];
}

/** A workspace and a world with one prepared batch for each method and currency among `payees`. */
export async function preparedBatch(db: Db, payees: Payee[], program: Partial<ProgramRow> = {}) {
  const world = await World.create(db, program);
  const workspace = await emptyFolder();
  for (const { affiliate, commissions = [{}] } of payees) {
    const row = await world.affiliate(affiliate);
    for (const values of commissions) {
      const currency = values.currency ?? 'USD';
      await world.sale(row.id, { status: 'ready_for_payment', ...values }, { currency });
    }
  }
  await preparePayouts(testWork(world), { preparedBy: 'fin' });
  const batches = () =>
    db.sql
      .selectFrom('payout_batch')
      .selectAll()
      .where('account_id', '=', world.accountId)
      .orderBy('id')
      .execute();
  const payouts = () =>
    db.sql
      .selectFrom('payout')
      .selectAll()
      .where('account_id', '=', world.accountId)
      .orderBy('amount')
      .execute();
  const commissions = () =>
    db.sql
      .selectFrom('commission')
      .selectAll()
      .where('account_id', '=', world.accountId)
      .orderBy('amount')
      .execute();
  const batchId = (await batches())[0]!.id;
  const work = (options: Parameters<typeof testWork>[1] = {}): Work =>
    testWork(world, { workspace, ...options });
  return {
    world,
    workspace,
    batchId,
    /** As it is shown, and as the names of its files begin. */
    name: showId('batch', batchId),
    batches,
    payouts,
    commissions,
    work,
    outbox: () => outboxOf(workspace),
    export: (
      choice: Parameters<typeof exportPayouts>[1] = {},
      options: Parameters<typeof testWork>[1] = {},
    ) => exportPayouts(work(options), choice),
  };
}

export interface ExportReport {
  batches: { batch: string; done: string; format: string; rows: number; amount: string; currency: string }[];
  files: { file: string; state: string; sha256: string }[];
  refused: { batch: string; reason: string; payouts: number; amount: string; references: string[] }[];
  refused_affiliates: { affiliate: string; payout: string; reason: string; amount: string }[];
  failed: { batch: string; code: string; message: string; todo: string }[];
}

export const reportOf = (outcome: Outcome) => outcome.report as ExportReport;

/** Three payees of PayPal with four commissions: 35.50, 0.05 and 7.00. */
export const three = [
  {
    affiliate: { payout_destination: 'ann@example.com' },
    commissions: [{ amount: 1_000n }, { amount: 2_550n }],
  },
  { affiliate: { payout_destination: 'bob@example.com' }, commissions: [{ amount: 5n }] },
  { affiliate: { payout_destination: 'cho@example.com' }, commissions: [{ amount: 700n }] },
];

/** More payouts of 1.00 and up in the account's only batch; they have no commissions, so the audit must not look. */
export async function addPayouts(db: Db, accountId: number, count: number): Promise<void> {
  await db.session(({ client }) =>
    client.query(
      `insert into payout (account_id, id, batch_id, program_id, affiliate_id, reference, amount, currency, method,
         destination, payee_name, lines, status, status_at, status_run_id)
       select account_id, gen_random_uuid(), batch_id, program_id, affiliate_id, upper(lpad(to_hex(i), 12, 'Z')), 100 + i,
         currency, method, 'p' || i || '@example.com', payee_name, lines, status, status_at, status_run_id
       from generate_series(1, $2) i, lateral (select * from payout where account_id = $1 order by id limit 1) p`,
      [accountId, count],
    ),
  );
}

/** Exports without the audit at the end. */
export function exportUnaudited(batch: Awaited<ReturnType<typeof preparedBatch>>, batchId?: string) {
  const work = batch.work();
  return exportPayouts(
    {
      ...work,
      transaction: (inner) => work.context.db.transaction((session) => inner(session, batch.world.mover)),
    },
    { batchId },
  );
}

/** An export that wrote its files and was killed before it could commit. */
export async function exportKilled(batch: Awaited<ReturnType<typeof preparedBatch>>): Promise<void> {
  const work = batch.work();
  const killed = {
    ...work,
    transaction: (inner: Parameters<typeof work.transaction>[0]) =>
      work.transaction(async (session, mover) => {
        await inner(session, mover);
        throw new Error('killed');
      }),
  } as typeof work;
  await expect(exportPayouts(killed, {})).rejects.toThrow('killed');
}
