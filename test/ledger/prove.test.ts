import { describe, expect, test } from 'vitest';
import type { Session } from '../../src/db/connect.ts';
import { newId } from '../../src/ids.ts';
import { adjust } from '../../src/ledger/adjust.ts';
import { assertMoved } from '../../src/ledger/audit.ts';
import { claim } from '../../src/ledger/claim.ts';
import { declineBanned } from '../../src/ledger/decline.ts';
import type { Mover } from '../../src/ledger/journal.ts';
import { releaseHolds } from '../../src/ledger/release.ts';
import { RefundStage, reverse } from '../../src/ledger/reverse.ts';
import { createStage } from '../../src/ledger/stage.ts';
import { testDatabase } from '../support/database.ts';
import { openDesk } from '../support/desk.ts';
import { rowsPassed } from '../support/plans.ts';
import type { World } from '../support/world.ts';
import { march, planFor } from './claiming.ts';
import { soundDesk } from './sound.ts';
import { landFile } from './undoing.ts';

const { db } = await testDatabase();
const later = new Date('2026-06-01T00:00:00Z');

type Step = (session: Session, mover: Mover, world: World) => Promise<unknown>;

const release: Step = (session, mover) => releaseHolds(session, mover, { asOf: later });
const pay: Step = async (session, mover, world) =>
  claim(session, mover, { ...(await planFor(world)), ...march, periodEnd: later });
const give: Step = async (session, mover, world) => {
  const bob = await affiliateOf(world, 'bob');
  await adjust(session, mover, [
    {
      affiliateId: bob,
      programId: world.programId,
      currency: 'USD',
      amount: 500n,
      reason: 'a gift',
      by: 'Ada',
    },
  ]);
};
const ban: Step = async (session, mover) => {
  await session.client.query("update affiliate set status = 'banned' where account_id = $1 and ref = 'ann'", [
    mover.accountId,
  ]);
  await declineBanned(session, mover);
};
/** Takes back all of a sale of Bob's that was recorded before, so that what leaves his pending account comes to nothing. */
const refund: Step = async (session, mover) => {
  await createStage(session);
  const stage = await new RefundStage(session).open();
  const occurredAt = '2026-02-01T00:00:00Z';
  const what = { externalId: 're-1', saleExternalId: 's-4', amount: 1_000n, currency: 'USD', isTotal: false };
  await stage.add({ n: 1, line: 2, ...what, occurredAt, occurredAtGiven: true });
  await stage.flush();
  const { rows } = await reverse(session, mover, newId(mover.now));
  if (rows.recorded !== 1) throw new Error('the refund was not recorded');
};

async function affiliateOf({ accountId }: World, ref: string): Promise<string> {
  const found = await db.sql
    .selectFrom('affiliate')
    .select('id')
    .where('account_id', '=', accountId)
    .where('ref', '=', ref)
    .executeTakeFirstOrThrow();
  return found.id;
}

/** Does the steps, each but the last in a transaction of its own, as a run of its own, and proves the last with a damage. */
async function proved(steps: Step[], damage?: string): Promise<string> {
  const { world } = await soundDesk(db);
  let moment = later.getTime();
  const inTransaction = async (step: Step, statement?: string) => {
    const now = new Date(moment++);
    const mover = { accountId: world.accountId, runId: await world.run(), now };
    return db.transaction(async (session) => {
      await step(session, mover, world);
      if (statement) {
        const changed = await session.client.query(
          statement.replaceAll('$run', `'${mover.runId}'`).replaceAll('$now', `'${now.toISOString()}'`),
          [world.accountId],
        );
        if (!changed.rowCount) throw new Error(`nothing was changed by ${statement}`);
      }
      await assertMoved(session, mover);
    });
  };
  for (const step of steps.slice(0, -1)) await inTransaction(step);
  return inTransaction(steps.at(-1)!, damage).then(
    () => 'balanced',
    (cause: Error) => cause.message,
  );
}

describe('what a transaction has moved', () => {
  test.each([
    ['releases', [release]],
    ['an adjustment', [give]],
    ['a ban', [ban]],
    ['a refund of all of a sale', [refund]],
    ['payouts', [release, give, pay]],
  ] as [string, Step[]][])('balances: %s', async (_, steps) => {
    expect(await proved(steps)).toBe('balanced');
  });

  const ofRun = 'account_id = $1 and run_id = $run';
  test.each([
    [
      'a posting that is not the sum of what moved',
      [release],
      `update posting set amount = amount + 1 where ${ofRun}`,
    ],
    ['a posting that is missing', [release], `delete from posting where ${ofRun}`],
    ['a posting to another account', [release], `update posting set to_account = 'declined' where ${ofRun}`],
    ['a posting of another currency', [release], `update posting set currency = 'EUR' where ${ofRun}`],
    [
      'one cent more in a line that was made',
      [give],
      `update commission set amount = amount + 1 where account_id = $1 and status_run_id = $run`,
    ],
    [
      'a line that was made for somebody else',
      [give],
      `update commission set affiliate_id = (select id from affiliate where account_id = $1 and ref = 'ann') where account_id = $1 and status_run_id = $run`,
    ],
    [
      'a line that was made and is gone',
      [give],
      'delete from commission where account_id = $1 and status_run_id = $run',
    ],
    [
      'a state changed without a posting',
      [give],
      `update commission set status = 'declined', status_run_id = $run, status_at = $now where account_id = $1 and status = 'pending'`,
    ],
    [
      'a state changed without a posting, to ready',
      [ban],
      `update commission set status = 'ready_for_payment', status_run_id = $run, status_at = $now where account_id = $1 and status = 'pending'`,
    ],
    [
      'a payout that is not its lines',
      [release, pay],
      'update payout set amount = amount + 1 where account_id = $1',
    ],
    [
      'a payout without its lines',
      [release, pay],
      'update commission set payout_id = null where account_id = $1 and payout_id is not null',
    ],
    [
      'a stranger’s line in a payout',
      [release, pay],
      `update commission set affiliate_id = (select id from affiliate where account_id = $1 and ref = 'bob') where account_id = $1 and payout_id is not null`,
    ],
    [
      'a paid line in a draft',
      [release, pay],
      `update commission set status = 'paid' where account_id = $1 and payout_id is not null`,
    ],
    ['a payout that is dead', [release, pay], `update payout set status = 'canceled' where account_id = $1`],
    [
      'a claim that was posted twice',
      [release, pay],
      `insert into posting select account_id, gen_random_uuid(), run_id, affiliate_id, currency, movement, from_account, to_account, amount, lines, posted_at from posting where ${ofRun}`.replace(
        'gen_random_uuid()',
        "('ffffffff' || substr(id::text, 9))::uuid",
      ),
    ],
  ] as [string, Step[], string][])('does not balance with %s', async (_, steps, damage) => {
    expect(await proved(steps, damage)).toContain('The books would not balance');
  });
});

test('the proof of one line reads that line, however many there are', async () => {
  const desk = await openDesk(db);
  const { world } = desk;
  await world.affiliate({ ref: 'bob' });
  const sales = Array.from({ length: 2_000 }, (_, n) => `s-${n},bob,10.00,USD,2026-01-10T10:00:00Z`);
  await landFile(desk, sales);
  const mover = { accountId: world.accountId, runId: await world.run(), now: later };
  const passed = await db.transaction((session) =>
    rowsPassed(session, async () => {
      await give(session, mover, world);
      await assertMoved(session, mover);
    }),
  );
  const proofs = [...passed].filter(([name]) => name.startsWith('ledger.prove'));
  expect(proofs.map(([name]) => name)).toContain('ledger.prove.moves');
  expect(proofs.filter(([, rows]) => rows > 100)).toEqual([]);
});
