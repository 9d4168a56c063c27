import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Session } from '../../src/db/connect.ts';
import { acceptConflict } from '../../src/ledger/accept.ts';
import { approveBatch } from '../../src/ledger/approve.ts';
import { markExported } from '../../src/ledger/mark-exported.ts';
import { releaseHolds } from '../../src/ledger/release.ts';
import { settlePayouts } from '../../src/ledger/settle.ts';
import { unclaim } from '../../src/ledger/unclaim.ts';
import { testDatabase } from '../support/database.ts';
import { holds } from '../support/property.ts';
import { RefundOracle } from '../support/refund-oracle.ts';
import { World } from '../support/world.ts';
import { batchesOf, claimNow, commissionsOf, payoutsOf } from './claiming.ts';
import { disputes } from './disputing.ts';
import { prove, type Refund, refund } from './refunding.ts';

const { db } = await testDatabase();

/** What one sale should be, worked out from the rules in prose. */
interface Sale {
  name: string;
  commission: bigint;
  is: RefundOracle;
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
  fc.record({
    does: fc.constant('total' as const),
    sale: which,
    part: fc.oneof(part, fc.constant(0n)),
    moment: fc.constantFrom('now' as const, 'before' as const, 'none' as const, 'none' as const),
  }),
  fc.record({ does: fc.constant('bounce' as const), sale: which, part, isNew: fc.boolean() }),
  fc.record({ does: fc.constant('accept' as const) }),
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
  #words = 0;
  #months = 0;

  constructor(world: World) {
    this.world = world;
    this.sales = amounts.map(([amount, commission], index) => ({
      name: `s-${index}`,
      commission,
      is: new RefundOracle(amount),
    }));
  }

  async take(one: Step): Promise<void> {
    this.#words += 1;
    switch (one.does) {
      case 'refund':
        return this.#refund(this.sales[one.sale]!, one.part);
      case 'total':
        return this.#total(this.sales[one.sale]!, one.part, one.moment);
      case 'bounce':
        return this.#bounce(this.sales[one.sale]!, one.part, one.isNew);
      case 'accept':
        return this.#accept();
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

  /** Every word has a moment of its own, a minute after the one before. */
  get #now(): number {
    return Date.parse('2026-02-20T12:00:00Z') + this.#words * 60_000;
  }

  async #refund(sale: Sale, part: bigint): Promise<void> {
    const amount = (sale.is.amount * part) / 100n;
    await this.#tell(sale.is.refund(amount, this.#now), { saleExternalId: sale.name, amount });
  }

  async #total(sale: Sale, part: bigint, moment: 'now' | 'before' | 'none'): Promise<void> {
    const amount = (sale.is.amount * part) / 100n;
    const at = moment === 'before' ? Date.parse('2026-02-19T12:00:00Z') : this.#now;
    const isTimed = moment !== 'none';
    const given = { saleExternalId: sale.name, amount, isTotal: true, occurredAtGiven: isTimed };
    await this.#tell(sale.is.total(amount, at, { isTimed }), { ...given, ...moments(at) });
  }

  async #bounce(sale: Sale, part: bigint, isNew: boolean): Promise<void> {
    const amount = (sale.is.amount * part) / 100n;
    const madeAt = isNew ? this.#now - 1_000 : Date.parse('2026-02-18T12:00:00Z');
    sale.is.fail(amount, madeAt, this.#now);
    const failed = { givesBack: true, madeAt: new Date(madeAt).toISOString() };
    await this.#tell('recorded', { saleExternalId: sale.name, amount, ...failed });
  }

  async #tell(expected: string, told: Refund): Promise<void> {
    const given: Refund = { externalId: `r-${this.#words}`, ...moments(this.#now), ...told };
    const before = await commissionsOf(this.world);
    expect(await refund(this.world, given)).toEqual({ [expected]: 1 });
    const after = await commissionsOf(this.world);
    if (expected !== 'recorded') expect(after).toEqual(before);
    else expect(await refund(this.world, given, given)).toEqual({ duplicates: 2 });
    expect(await commissionsOf(this.world)).toEqual(after);
  }

  /** A person takes the first total that waits for a decision. */
  async #accept(): Promise<void> {
    const [conflict] = await db.sql
      .selectFrom('conflict')
      .innerJoin('conversion', 'conversion.id', 'conflict.conversion_id')
      .selectAll('conflict')
      .select('conversion.external_id as sale')
      .where('conflict.account_id', '=', this.world.accountId)
      .where('conflict.status', '=', 'open')
      .where('conflict.about', '=', 'refund')
      .orderBy('conflict.id')
      .execute();
    if (!conflict) return;
    const { is } = this.sales.find(({ name }) => name === conflict.sale)!;
    const isTimed = conflict.occurred_at_given!;
    const ended = is.total(conflict.amount!, conflict.occurred_at!.getTime(), { isTimed, accepted: true });
    const choice = { conflictId: conflict.id, by: 'eve', reason: undefined };
    const accepting = this.#in((session) => acceptConflict(session, this.world.mover, choice));
    if (ended === 'rejected') await expect(accepting).rejects.toMatchObject({ code: 'state' });
    else await accepting;
  }

  async #dispute(sale: Sale, part: bigint, state: 'opened' | 'won' | 'lost'): Promise<void> {
    const given = { externalId: `d-${sale.name}`, saleExternalId: sale.name, state };
    const told = { ...given, amount: (sale.is.amount * part) / 100n, ...moments(this.#now) };
    await disputes(this.world, told);
    sale.is.disputed(state, told.amount);
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

  async #statusOf({ name }: Sale): Promise<string> {
    const sale = await db.sql
      .selectFrom('conversion')
      .select('sales_status')
      .where('account_id', '=', this.world.accountId)
      .where('external_id', '=', name)
      .executeTakeFirstOrThrow();
    return sale.sales_status;
  }

  /** What must hold after every step, by looking at the rows alone. */
  async check(ids: string[]): Promise<void> {
    const rows = await commissionsOf(this.world);
    const payouts = await payoutsOf(this.world);
    for (const [index, sale] of this.sales.entries()) {
      const family = rows.filter((row) => row.id === ids[index] || row.reverses === ids[index]);
      const original = family.find((row) => row.reverses === null)!;
      const sum = family.reduce((total, row) => total + row.amount, 0n);
      const { amount, taken, status, dispute } = sale.is;
      const takenBack = (2n * sale.commission * taken + amount) / (2n * amount);
      expect(sum).toBe(sale.commission - takenBack);
      if (status === 'refunded') expect(sum).toBe(0n);
      expect(await this.#statusOf(sale)).toBe(status);
      const statuses = new Set(family.map((row) => row.status));
      if (original.payout_id === null && original.status !== 'ready_for_payment')
        expect(statuses.size).toBe(1);
      if (original.status === 'declined') expect(sum).toBe(0n);
      const payout = payouts.find((one) => one.id === original.payout_id);
      if (dispute.state === 'open') expect(payout?.status).not.toBe('draft');
      if (original.status === 'declined') expect(status).toBe('refunded');
      const isWhole = status === 'refunded' && family.every((row) => row.payout_id === null);
      if (isWhole) expect(original.status).toBe('declined');
    }
    const paidOut = payouts.filter((one) => one.status === 'paid').reduce((sum, one) => sum + one.amount, 0n);
    const paid = rows.filter((row) => row.status === 'paid').reduce((sum, row) => sum + row.amount, 0n);
    expect(paidOut).toBe(paid);
  }
}

/** A moment as a refund and a dispute have it. */
function moments(at: number): { occurredAt: string } {
  return { occurredAt: new Date(at).toISOString() };
}

test('whatever happens to sales, in whatever order: the books balance, and what is taken back, less what came back, is what was refunded', async () => {
  await holds(
    fc.asyncProperty(
      fc.array(step, { minLength: 3, maxLength: 14 }),
      fc.boolean(),
      async (steps, isReady) => {
        const world = await World.create(db, { payout_approval: 'manual' });
        const affiliate = await world.affiliate();
        const story = new Story(world);
        const ids: string[] = [];
        for (const { name, commission, is } of story.sales) {
          const status = isReady ? ('ready_for_payment' as const) : ('pending' as const);
          ids.push(
            await world.sale(
              affiliate.id,
              { amount: commission, status },
              { external_id: name, amount: is.amount },
            ),
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
