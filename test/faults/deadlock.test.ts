import { afterAll, expect, test } from 'vitest';
import { connect, type Session } from '../../src/db/connect.ts';
import { claim } from '../../src/ledger/claim.ts';
import { executeRun } from '../../src/runs/run.ts';
import type { Work } from '../../src/runs/work.ts';
import { planFor, ready } from '../ledger/claiming.ts';
import { lines, prove, refundIn } from '../ledger/refunding.ts';
import { gate, nothing, spec, testContext } from '../runs/fixture.ts';
import { testDatabase } from '../support/database.ts';
import { waitsForLock } from '../support/locks.ts';
import { World } from '../support/world.ts';

const { db, url } = await testDatabase();
/** Of the runs: each takes two connections, and who watches them needs one more. */
const theirs = await connect(url);
afterAll(() => theirs.close());

type Side = 'prepare' | 'refunds';

/**
 * Two runs that want the commissions of two sales in opposite order, each in one transaction:
 *
 *   prepare   claims S1 (first programme) ──┐ both hold one ┌── claims S2 (second programme)
 *   refunds   refunds S2 ───────────────────┘               └── refunds S1
 *
 * The server breaks off the one that looks for a deadlock, which is `victim`: it waits second, and looks at once.
 */
async function clash(victim: Side) {
  const world = await World.create(db, { payout_approval: 'manual' });
  const second = await world.program({ payout_approval: 'manual' });
  const affiliate = await world.affiliate();
  await world.sale(affiliate.id, ready(), { external_id: 'S1' });
  await world.sale(affiliate.id, ready(), { external_id: 'S2', program_id: second });
  const plans = [await planFor(world), await planFor(world, {}, second)] as const;
  const attempts = { prepare: 0, refunds: 0 };
  const holds = { prepare: gate(), refunds: gate() };

  const meet = async (side: Side, session: Session) => {
    attempts[side] += 1;
    if (attempts[side] > 1) return;
    const other = side === 'prepare' ? 'refunds' : 'prepare';
    holds[side].open();
    await holds[other].passed;
    await session.client.query(`set local deadlock_timeout = '${side === victim ? '1ms' : '1h'}'`);
    if (side === victim) await waitsForLock(db, runs[other]);
  };
  const run = (job: Side, work: (session: Session, work: Work) => Promise<unknown>) =>
    executeRun(
      testContext(theirs),
      { id: world.accountId, ref: world.accountRef },
      spec({ job }),
      (given) =>
        given.transaction(async (session) => {
          await work(session, given);
          return nothing;
        }),
      { pause: async () => {} },
    );
  const runs = {
    prepare: run('prepare', async (session, { runId }) => {
      const mover = { ...world.mover, runId };
      await claim(session, mover, plans[0]);
      await meet('prepare', session);
      await claim(session, mover, plans[1]);
    }),
    refunds: run('refunds', async (session) => {
      await refundIn(session, world, [{ externalId: 'r-2', saleExternalId: 'S2' }]);
      await meet('refunds', session);
      await refundIn(session, world, [{ externalId: 'r-1', saleExternalId: 'S1' }]);
    }),
  };
  const [prepared, refunded] = await Promise.all([runs.prepare, runs.refunds]);
  expect([prepared.status, refunded.status]).toEqual(['done', 'done']);
  await db.session((session) => prove(session, world));
  return { attempts, lines: await lines(world) };
}

test('a prepare that the server breaks off for a deadlock with refunds is tried again, and pays what they left', async () => {
  expect(await clash('prepare')).toEqual({
    attempts: { prepare: 2, refunds: 1 },
    lines: [
      '2000 ready_for_payment in draft',
      '2000 ready_for_payment in draft',
      '-500 ready_for_payment in draft',
      '-500 ready_for_payment in draft',
    ],
  });
});

test('refunds that the server breaks off for a deadlock with a prepare are tried again, and empty its drafts', async () => {
  expect(await clash('refunds')).toEqual({
    attempts: { prepare: 1, refunds: 2 },
    lines: [
      '2000 ready_for_payment',
      '2000 ready_for_payment',
      '-500 ready_for_payment',
      '-500 ready_for_payment',
    ],
  });
});
