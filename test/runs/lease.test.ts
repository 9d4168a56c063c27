import { expect, test } from 'vitest';
import { runnerOf } from '../../src/runs/bury.ts';
import { showRun } from '../../src/runs/history.ts';
import { withLease } from '../../src/runs/lease.ts';
import { testDatabase } from '../support/database.ts';
import { World } from '../support/world.ts';
import { testContext } from './fixture.ts';

const { db } = await testDatabase();
const context = testContext(db);

/** A row of a run whose lease has ended, and that no session stands behind yet. */
async function runOf(world: World): Promise<{ id: string; runner: string }> {
  const id = await world.run();
  const runner = runnerOf(id);
  await db.sql
    .updateTable('run')
    .set({ runner, lease_until: new Date('2026-01-01') })
    .where('account_id', '=', world.accountId)
    .where('id', '=', id)
    .execute();
  return { id, runner };
}

test('a run is live while its session is open and its lease lasts, by the clock of the server', async () => {
  const world = await World.create(db);
  const { id, runner } = await runOf(world);
  const live = async () => (await showRun(db, world.accountId, id)).run.live;
  await withLease(context, { accountId: world.accountId, runner }, async (lease) => {
    await lease.open();
    expect(await live()).toBe(false);
    await lease.renew();
    expect(await live()).toBe(true);
  });
  expect(await live()).toBe(false);
});

test('a lease lasts a minute', async () => {
  const world = await World.create(db);
  const { id, runner } = await runOf(world);
  await withLease(context, { accountId: world.accountId, runner }, (lease) => lease.renew());
  const left = await db.session(({ client }) =>
    client.query(
      `select lease_until - clock_timestamp() between interval '30 s' and interval '60 s' as a_minute
       from run where account_id = $1 and id = $2`,
      [world.accountId, id],
    ),
  );
  expect(left.rows).toEqual([{ a_minute: true }]);
});

test('the session goes back to the pool under the pool’s own name', async () => {
  const world = await World.create(db);
  const { runner } = await runOf(world);
  await withLease(context, { accountId: world.accountId, runner }, (lease) => lease.open());
  const named = await db.session(({ client }) =>
    client.query('select from pg_stat_activity where application_name = $1', [runner]),
  );
  expect(named.rowCount).toBe(0);
});

test('a lease whose session was cut off is renewed on another one', async () => {
  const world = await World.create(db);
  const { id, runner } = await runOf(world);
  await withLease(context, { accountId: world.accountId, runner }, async (lease) => {
    await lease.renew();
    await db.session(({ client }) =>
      client.query(
        'select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = $1',
        [runner],
      ),
    );
    expect((await showRun(db, world.accountId, id)).run.live).toBe(false);
    await expect(lease.renew()).rejects.toMatchObject({ code: 'database-unreachable' });
    await lease.renew();
    expect((await showRun(db, world.accountId, id)).run.live).toBe(true);
  });
});

test('a lease on a run that somebody else has taken over cannot be renewed', async () => {
  const world = await World.create(db);
  const { id, runner } = await runOf(world);
  await db.sql
    .updateTable('run')
    .set({ status: 'lost' })
    .where('account_id', '=', world.accountId)
    .where('id', '=', id)
    .execute();
  const renewed = withLease(context, { accountId: world.accountId, runner }, (lease) => lease.renew());
  await expect(renewed).rejects.toMatchObject({ code: 'lease-lost' });
});
