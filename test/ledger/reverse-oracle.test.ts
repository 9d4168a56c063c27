import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Session } from '../../src/db/connect.ts';
import { approveBatch } from '../../src/ledger/approve.ts';
import { markExported } from '../../src/ledger/mark-exported.ts';
import { releaseHolds } from '../../src/ledger/release.ts';
import { settlePayouts } from '../../src/ledger/settle.ts';
import { unclaim } from '../../src/ledger/unclaim.ts';
import { testDatabase } from '../support/database.ts';
import { holds } from '../support/property.ts';
import { World } from '../support/world.ts';
import { batchesOf, claimNow, commissionsOf, payoutsOf } from './claiming.ts';
import { disputes } from './disputing.ts';
import { prove, type Refund, refund } from './refunding.ts';

const { db } = await testDatabase();

/** What one sale should be, worked out from the rules in prose. */
interface Sale {
  name: string;
  amount: bigint;
  commission: bigint;
  refunded: bigint;
  /** What refunds have taken, without lost disputes. */
  byRefunds: bigint;
  dispute: 'none' | 'open' | 'won' | 'lost';
}

const amounts: [amount: bigint, commission: bigint][] = [
  [10_000n, 2_000n],
  [3_333n, 667n],
  [700n, 1n],
];

const which = fc.nat(amounts.length - 1);
/** In parts of a hundred of the sale, so that small and large, too much and exactly all come up. */
const part = fc.constantFrom(1n, 10n, 33n, 50n, 67n, 99n, 100n, 101n);
const step = fc.oneof(
  fc.record({ does: fc.constant('refund' as const), sale: which, part }),
  fc.record({ does: fc.constant('total' as const), sale: which, part }),
  fc.record({
    does: fc.constant('dispute' as const),
    sale: which,
    part,
    state: fc.constantFrom('opened' as const, 'won' as const, 'lost' as const),
  }),
  fc.record({
    does: fc.constantFrom('release' as const, 'prepare' as const, 'approve' as const, 'export' as const),
  }),
  fc.record({
    does: fc.constantFrom(
      'pay' as const,
      'fail' as const,
      'return' as const,
      'cancel' as const,
      'prepare' as const,
    ),
  }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class Story {
  readonly sales: Sale[];
  readonly world: World;
  #refunds = 0;
  #months = 0;

  constructor(world: World) {
    this.world = world;
    this.sales = amounts.map(([amount, commission], index) => ({
      name: `s-${index}`,
      amount,
      commission,
      refunded: 0n,
      byRefunds: 0n,
      dispute: 'none',
    }));
  }

  async take(one: Step): Promise<void> {
    switch (one.does) {
      case 'refund':
      case 'total':
        return this.#refund(this.sales[one.sale]!, one.part, one.does === 'total');
      case 'dispute':
        return this.#dispute(this.sales[one.sale]!, one.part, one.state);
      case 'release': {
        const asOf = new Date('2026-03-02T03:00:00Z');
        await this.#in((session) => releaseHolds(session, this.world.mover, { asOf }));
        return;
      }
      case 'prepare': {
        this.#months += 1;
        const periodEnd = new Date(Date.UTC(2026, 2 + this.#months, 1));
        await claimNow(this.world, { periodEnd, periodStart: new Date(Date.UTC(2026, 1 + this.#months, 1)) });
        return;
      }
      default:
        return this.#move(one.does);
    }
  }

  async #refund(sale: Sale, part: bigint, isTotal: boolean): Promise<void> {
    const stated = (sale.amount * part) / 100n;
    const wanted = isTotal ? sale.refunded + stated - sale.byRefunds : sale.refunded + stated;
    const expected =
      wanted > sale.amount
        ? 'rejected'
        : wanted > sale.refunded
          ? 'recorded'
          : wanted < sale.refunded
            ? 'conflicts'
            : 'duplicates';
    const given: Refund = {
      externalId: `r-${++this.#refunds}`,
      saleExternalId: sale.name,
      amount: stated,
      isTotal,
      occurredAtGiven: !isTotal,
    };
    const before = await commissionsOf(this.world);
    expect(await refund(this.world, given)).toEqual({ [expected]: 1 });
    const after = await commissionsOf(this.world);
    if (expected === 'recorded') {
      sale.byRefunds += wanted - sale.refunded;
      sale.refunded = wanted;
      expect(await refund(this.world, given, given)).toEqual({ duplicates: 2 });
    } else expect(after).toEqual(before);
    expect(await commissionsOf(this.world)).toEqual(after);
  }

  async #dispute(sale: Sale, part: bigint, state: 'opened' | 'won' | 'lost'): Promise<void> {
    const given = { externalId: `d-${sale.name}`, saleExternalId: sale.name, state };
    const told = { ...given, amount: (sale.amount * part) / 100n };
    await disputes(this.world, told);
    const isOver = sale.dispute === 'won' || sale.dispute === 'lost';
    if (!isOver) sale.dispute = state === 'opened' ? 'open' : state;
    if (!isOver && state === 'lost') {
      const left = sale.amount - sale.refunded;
      sale.refunded += told.amount < left ? told.amount : left;
    }
    const after = await commissionsOf(this.world);
    await disputes(this.world, told);
    expect(await commissionsOf(this.world)).toEqual(after);
  }

  async #move(does: 'approve' | 'export' | 'pay' | 'fail' | 'return' | 'cancel'): Promise<void> {
    const { mover } = this.world;
    for (const { id: batchId, status } of await batchesOf(this.world)) {
      if (does === 'approve' && status === 'draft')
        await this.#in((session) => approveBatch(session, mover, { batchId, by: 'eve' }));
      if (does === 'export' && status === 'approved')
        await this.#in((session) => markExported(session, mover, { batchId, format: 'paypal', files: [] }));
      if (does === 'cancel' && (status === 'draft' || status === 'approved'))
        await this.#in((session) => unclaim(session, mover, { batchId, reason: 'x' }));
    }
    if (does === 'pay' || does === 'fail' || does === 'return') await this.#settle(does);
  }

  /** What is exported is paid, or failed; what is paid as well comes back. */
  async #settle(does: 'pay' | 'fail' | 'return'): Promise<void> {
    const outcome = ({ pay: 'paid', fail: 'failed', return: 'returned' } as const)[does];
    const { mover } = this.world;
    for (const { id, status } of await payoutsOf(this.world)) {
      if (status !== 'exported' && !(status === 'paid' && does === 'return')) continue;
      const answer = { payout: id, outcome, providerReference: 'T', reason: 'x' };
      await this.#in((session) => settlePayouts(session, mover, { answers: [answer], by: 'eve' }));
    }
  }

  async #in(work: (session: Session) => Promise<unknown>): Promise<void> {
    await db.transaction(async (session) => {
      await work(session);
      await prove(session, this.world);
    });
  }

  /** What must hold after every step, by looking at the rows alone. */
  async check(ids: string[]): Promise<void> {
    const rows = await commissionsOf(this.world);
    const payouts = await payoutsOf(this.world);
    for (const [index, sale] of this.sales.entries()) {
      const family = rows.filter((row) => row.id === ids[index] || row.reverses === ids[index]);
      const original = family.find((row) => row.reverses === null)!;
      const sum = family.reduce((total, row) => total + row.amount, 0n);
      const takenBack = (2n * sale.commission * sale.refunded + sale.amount) / (2n * sale.amount);
      expect(sum).toBe(sale.commission - takenBack);
      if (sale.refunded === sale.amount) expect(sum).toBe(0n);
      const statuses = new Set(family.map((row) => row.status));
      if (original.payout_id === null && original.status !== 'ready_for_payment')
        expect(statuses.size).toBe(1);
      if (original.status === 'declined') expect(sum).toBe(0n);
      const payout = payouts.find((one) => one.id === original.payout_id);
      if (sale.dispute === 'open') expect(payout?.status).not.toBe('draft');
      const isWhole = sale.refunded === sale.amount && family.every((row) => row.payout_id === null);
      if (isWhole) expect(original.status).toBe('declined');
    }
    const paidOut = payouts.filter((one) => one.status === 'paid').reduce((sum, one) => sum + one.amount, 0n);
    const paid = rows.filter((row) => row.status === 'paid').reduce((sum, row) => sum + row.amount, 0n);
    expect(paidOut).toBe(paid);
  }
}

test('whatever happens to sales, in whatever order: the books balance, and everything taken back is what was refunded', async () => {
  await holds(
    fc.asyncProperty(
      fc.array(step, { minLength: 3, maxLength: 14 }),
      fc.boolean(),
      async (steps, isReady) => {
        const world = await World.create(db, { payout_approval: 'manual' });
        const affiliate = await world.affiliate();
        const story = new Story(world);
        const ids: string[] = [];
        for (const { name, amount, commission } of story.sales) {
          const status = isReady ? ('ready_for_payment' as const) : ('pending' as const);
          ids.push(
            await world.sale(affiliate.id, { amount: commission, status }, { external_id: name, amount }),
          );
        }
        for (const one of steps) {
          await story.take(one);
          await story.check(ids);
        }
      },
    ),
    10,
  );
});
