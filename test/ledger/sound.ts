import { randomUUID } from 'node:crypto';
import type { Db } from '../../src/db/connect.ts';
import { newId } from '../../src/ids.ts';
import type { Desk } from '../support/desk.ts';
import { today, type World } from '../support/world.ts';
import { deskWithTwo, landNumbered } from './selling.ts';

/** A ledger as imports leave it: three sales of Ann's (s-1 to s-3), of which s-3 failed, one of Bob's (s-4), a conflict and a lead. */
export async function soundDesk(db: Db): Promise<Desk> {
  const incentives = [{ ref: 'pro', percent: '30', product_ids: ['p1'] }];
  const desk = await deskWithTwo(db, { program: { incentives } });
  const day = 'USD,2026-01-10T10:00:00Z';
  await landNumbered(
    desk,
    ',customer_id,product_ids,sales_status',
    `ann,100.00,${day},c1,p1,`,
    `ann,50.00,${day},,,`,
    `ann,50.00,${day},,,failed`,
    `bob,10.00,${day},,,`,
  );
  await landNumbered(desk, '', `ann,101.00,${day}`);
  const lead = { event_name: 'signup', event_type: 'lead', customer_id: 'c1', external_event_id: 'e1' };
  await desk.land('events', `${JSON.stringify(lead)}\n`);
  return desk;
}

/** The same, with a draft payout of Ann's that has the one commission s-2 of 10.00 in it, as `prepare` leaves it. */
export async function paidDesk(db: Db): Promise<{ world: World; payout: string }> {
  const { world } = await soundDesk(db);
  const { accountId: account_id, programId: program_id, runId } = world;
  const [batch, payout] = [newId(today), newId(today)];
  const ann = await db.sql
    .selectFrom('affiliate')
    .select('id')
    .where('account_id', '=', account_id)
    .where('ref', '=', 'ann')
    .executeTakeFirstOrThrow();
  const shared = { account_id, program_id, currency: 'USD', method: 'paypal', status: 'draft' } as const;
  await db.sql
    .insertInto('payout_batch')
    .values({
      ...shared,
      id: batch,
      period_start: today,
      period_end: today,
      prepared_by: 'test',
      prepared_run_id: runId,
      prepared_at: today,
    })
    .execute();
  await db.sql
    .insertInto('payout')
    .values({
      ...shared,
      id: payout,
      batch_id: batch,
      affiliate_id: ann.id,
      reference: randomUUID().slice(0, 12),
      amount: 1_000n,
      destination: 'x',
      payee_name: 'Ann',
      lines: 1,
      status_at: today,
      status_run_id: runId,
    })
    .execute();
  await change(
    world,
    `update commission set status = 'ready_for_payment', payout_id = '${payout}' where ${saleIs('s-2')}`,
    `insert into posting select account_id, gen_random_uuid(), run_id, affiliate_id, currency, 'claim', 'pending', 'in_payout', 1000, 1, posted_at
     from posting where affiliate_id = '${ann.id}' and movement = 'record' and account_id = $1 limit 1`,
  );
  return { world, payout };
}

/** A condition on conversion or commission: the sale with this external id, of account $1. */
export function saleIs(externalId: string): string {
  return `account_id = $1 and id = (select id from conversion where account_id = $1 and external_id = '${externalId}')`;
}

/** What nobody should do: changes the tables by hand; $1 is the account. */
export async function change(world: World, ...statements: string[]): Promise<void> {
  await world.db.session(async ({ client }) => {
    for (const statement of statements) {
      const changed = await client.query(statement, [world.accountId]);
      if (!changed.rowCount) throw new Error(`nothing was changed by ${statement}`);
    }
  });
}
