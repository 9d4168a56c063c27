import { expect, test } from 'vitest';
import type { Session } from '../../src/db/connect.ts';
import { buryTheDead, rehearserOf } from '../../src/runs/bury.ts';
import { testDatabase } from '../support/database.ts';
import { World } from '../support/world.ts';
import { nothing, scene } from './fixture.ts';

const { db } = await testDatabase();

test('a dry run that is silent is ended after a minute, though no row says that it is there', async () => {
  const world = await World.create(db);
  const rehearser = rehearserOf(world.runId);
  const isThere = async ({ client }: Session) => {
    const found = await client.query('select from pg_stat_activity where application_name = $1', [rehearser]);
    return found.rowCount === 1;
  };
  const stopped = db.transaction(async ({ client }) => {
    await client.query("select set_config('application_name', $1, false)", [rehearser]);
    await db.session(async (session) => {
      const living = { accountId: world.accountId, now: new Date() };
      await buryTheDead(session, living);
      expect(await isThere(session)).toBe(true);
      await buryTheDead(session, { ...living, patience: 0 });
      while (await isThere(session));
    });
    await client.query('select');
  });
  await expect(stopped).rejects.toMatchObject({ code: 'database-unreachable' });
});

test('whoever starts a run again that broke off after its commit is told what it had kept', async () => {
  const { world, run, context } = await scene(db);
  await run({}, async (work) => {
    await work.transaction(async () => ({ counts: { released: 260, left_out: 0 }, totals: {} }));
    const broken = { account_id: world.accountId, id: work.runId };
    await db.sql
      .updateTable('run')
      .set({ lease_until: new Date('2026-01-01') })
      .where('account_id', '=', broken.account_id)
      .where('id', '=', broken.id)
      .execute();
    await run({ parameters: { again: true } }, async () => nothing);
    return nothing;
  }).catch(() => {});
  expect(context.lines.join('')).toMatch(
    /a run of a-job broke off after it had kept this: 260 released; payrun runs show run_\w{26}\n/,
  );
});
