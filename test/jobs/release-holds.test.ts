import { sql } from 'kysely';
import { expect, test } from 'vitest';
import releaseHolds from '../../jobs/release-holds.ts';
import { connect } from '../../src/db/connect.ts';
import { partsToRelease } from '../../src/ledger/release.ts';
import { showRun } from '../../src/runs/history.ts';
import { executeRun } from '../../src/runs/run.ts';
import { landFile } from '../ledger/undoing.ts';
import { spec, testContext } from '../runs/fixture.ts';
import { balance } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import { openDesk } from '../support/desk.ts';
import { today, type World } from '../support/world.ts';

const { db, url } = await testDatabase();

const asOf = new Date('2026-03-02T03:00:00Z');
const affiliates = 40;
/** As many as are released in two halves. */
const holds = 50_000;
const all = { counts: { released: holds, awaiting_approval: 0 } };

/** An account with that many holds that have ended, of a dollar each. */
async function manyHolds(): Promise<World> {
  const desk = await openDesk(db);
  const refs = Array.from({ length: affiliates }, (_, n) => `a-${n}`);
  await desk.land('affiliates', `ref,name\n${refs.map((ref) => `${ref},${ref}`).join('\n')}\n`);
  const sale = (n: number) => `s-${n},a-${n % affiliates},5.00,USD,2026-01-10T10:00:00Z`;
  await landFile(
    desk,
    Array.from({ length: holds }, (_, n) => sale(n)),
  );
  return desk.world;
}

/** A moment after the import. */
const clock = () => new Date(today.getTime() + 1000);

const release = (world: World, context = testContext(db, { clock }), dryRun = false) =>
  executeRun(
    context,
    { id: world.accountId, ref: world.accountRef },
    spec({ job: 'release-holds', asOf, dryRun }),
    releaseHolds,
  );

/** What the runs have posted to the journal: how often, for how many affiliates, commissions and cents. */
async function posted(world: World) {
  const found = await sql<Record<string, number>>`
    select count(*)::integer as postings, count(distinct affiliate_id)::integer as affiliates,
      sum(lines)::integer as lines, sum(amount)::integer as cents
    from posting where account_id = ${world.accountId} and movement = 'release'`.execute(db.sql);
  return found.rows[0];
}

const once = { postings: affiliates, affiliates, lines: holds, cents: holds * 100 };

test('many holds are released in two halves of the affiliates: each commission once, each affiliate in one posting', async () => {
  const world = await manyHolds();
  expect(await partsToRelease(db, world.accountId, asOf)).toEqual([{ half: 'lower' }, { half: 'upper' }]);
  expect(await release(world, undefined, true)).toMatchObject({ outcome: all });
  expect(await release(world)).toMatchObject({
    outcome: { ...all, totals: { USD: { released: '50000.00', awaiting_approval: '0.00' } } },
  });
  expect(await posted(world)).toEqual(once);
  expect(await balance(world)).toBe('balanced');
  expect(await partsToRelease(db, world.accountId, asOf)).toEqual([{}]);
  expect(await release(world)).toMatchObject({ outcome: { counts: { released: 0 } } });
});

test('a release that is stopped between its halves has said what it kept, and the next one does the rest', async () => {
  const world = await manyHolds();
  const stop = new AbortController();
  const stoppable = await connect(url, { signal: stop.signal });
  const stopped = await db.transaction(async ({ client }) => {
    await client.query(
      'select from commission where account_id = $1 and uuid_hash(affiliate_id) < 0 limit 1 for update',
      [world.accountId],
    );
    const running = release(world, testContext(stoppable, { clock, signal: stop.signal }));
    running.catch(() => {});
    while ((await posted(world))!.postings === 0);
    stop.abort();
    await expect(running).rejects.toMatchObject({ code: 'interrupted' });
    const run = await sql<{ id: string }>`
      select id from run where account_id = ${world.accountId} and job = 'release-holds'`.execute(db.sql);
    return (await showRun(db, world.accountId, run.rows[0]!.id)).run;
  });
  await stoppable.close();
  const kept = (await posted(world))!;
  expect(kept.lines).toBeLessThan(holds);
  expect(stopped).toMatchObject({ status: 'interrupted', counts: { released: kept.lines } });
  expect(await balance(world)).toBe('balanced');
  expect(await release(world)).toMatchObject({ outcome: { counts: { released: holds - kept.lines! } } });
  expect(await posted(world)).toEqual(once);
  expect(await balance(world)).toBe('balanced');
});
