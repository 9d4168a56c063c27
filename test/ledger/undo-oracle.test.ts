import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Session } from '../../src/db/connect.ts';
import { approveBatch } from '../../src/ledger/approve.ts';
import { markExported } from '../../src/ledger/mark-exported.ts';
import { settlePayouts } from '../../src/ledger/settle.ts';
import { unclaim } from '../../src/ledger/unclaim.ts';
import { testDatabase } from '../support/database.ts';
import type { Desk } from '../support/desk.ts';
import { holds } from '../support/property.ts';
import { tries } from '../support/tries.ts';
import { batchesOf, claimNow, commissionsOf, payoutsOf } from './claiming.ts';
import { prove } from './refunding.ts';
import { deskWithTwo } from './selling.ts';
import { paidBy } from './settling.ts';
import { landFile, release, undo } from './undoing.ts';

const { db } = await testDatabase();

/** Sales by file: id, affiliate, minor units. Ann earns 20 %, Bob 40 %. */
const sales: [file: number, id: string, affiliate: 'ann' | 'bob', amount: bigint][] = [
  [0, 'a', 'ann', 10_000n],
  [0, 'b', 'bob', 333n],
  [1, 'c', 'ann', 7n],
  [1, 'd', 'bob', 5_001n],
  [2, 'e', 'ann', 2_500n],
];
/** Refunds by file, some of sales of the same file, some of all; together never more than the sale. */
const refunds: [file: number, id: string, sale: string, amount: bigint][] = [
  [1, 'r1', 'a', 3_333n],
  [1, 'r2', 'd', 5_001n],
  [2, 'r3', 'a', 6_667n],
  [2, 'r4', 'b', 100n],
  [3, 'r5', 'b', 233n],
  [3, 'r6', 'c', 3n],
  [3, 'r7', 'e', 1_250n],
];
const rates = { ann: 20n, bob: 40n };

const file = fc.constantFrom(0, 1, 2, 3);
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ does: fc.constant('import' as const), file }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('undo' as const), file }) },
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constantFrom(
        'release' as const,
        'prepare' as const,
        'approve' as const,
        'export' as const,
        'pay' as const,
        'cancel' as const,
      ),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** What an affiliate earns by the files that are in: each sale's share, less the part that its refunds take, rounded once. */
function earnedBy(files: Set<number>, affiliate: 'ann' | 'bob'): bigint {
  const round = (product: bigint, by: bigint) => (2n * product + by) / (2n * by);
  return sales
    .filter(([home, , whose]) => files.has(home) && whose === affiliate)
    .reduce((sum, [, id, , amount]) => {
      const commission = round(amount * rates[affiliate], 100n);
      const refunded = refunds
        .filter(([home, , of]) => files.has(home) && of === id)
        .reduce((total, [, , , part]) => total + part, 0n);
      return sum + commission - round(commission * refunded, amount);
    }, 0n);
}

class Story {
  readonly desk: Desk;
  readonly #imports = new Map<number, string>();
  #months = 0;

  constructor(desk: Desk) {
    this.desk = desk;
  }

  async take(one: Step): Promise<void> {
    const { world } = this.desk;
    if (one.does === 'import') {
      if (!this.#imports.has(one.file)) this.#imports.set(one.file, await this.#import(one.file));
    } else if (one.does === 'undo') {
      const id = this.#imports.get(one.file);
      if (id) await undo(this.desk, id);
      this.#imports.delete(one.file);
    } else if (one.does === 'release') await release(this.desk);
    else if (one.does === 'prepare') {
      this.#months += 1;
      const periodStart = new Date(Date.UTC(2026, 1 + this.#months, 1));
      await claimNow(world, { periodStart, periodEnd: new Date(Date.UTC(2026, 2 + this.#months, 1)) });
    } else await this.#move(one.does);
    await this.#check();
  }

  async payEverything(): Promise<void> {
    for (const does of [
      'release',
      'approve',
      'export',
      'pay',
      'prepare',
      'approve',
      'export',
      'pay',
    ] as const)
      await this.take({ does });
  }

  async #import(index: number): Promise<string> {
    const decimal = (minor: bigint) => `${minor / 100n}.${String(minor % 100n).padStart(2, '0')}`;
    const rows = [
      ...sales
        .filter(([home]) => home === index)
        .map(([, id, who, amount]) => `${id},${who},${decimal(amount)},USD,2026-01-10T10:00:00Z,`),
      ...refunds
        .filter(([home]) => home === index)
        .map(([, id, of, amount]) => `${id},,${decimal(amount)},USD,2026-01-12T10:00:00Z,${of}`),
    ];
    return landFile(this.desk, rows, ',refund_of');
  }

  async #move(does: 'approve' | 'export' | 'pay' | 'cancel'): Promise<void> {
    const { world } = this.desk;
    const { mover } = world;
    const inOne = (work: (session: Session) => Promise<unknown>) =>
      db.transaction(async (session) => void (await work(session)));
    for (const { id: batchId, status } of await batchesOf(world)) {
      if (does === 'approve' && status === 'draft')
        await inOne((session) => approveBatch(session, mover, { batchId, by: 'eve' }));
      if (does === 'export' && status === 'approved')
        await inOne((session) => markExported(session, mover, { batchId, format: 'paypal', files: [] }));
      if (does === 'cancel' && (status === 'draft' || status === 'approved'))
        await inOne((session) => unclaim(session, mover, { batchId, reason: 'x' }));
      if (does !== 'pay' || status !== 'exported') continue;
      for (const payout of await payoutsOf(world)) {
        // A payout of which an undo left nothing is canceled, while its batch goes on with the others.
        if (payout.batch_id !== batchId || payout.status === 'canceled') continue;
        const payment = { payoutId: payout.id, providerReference: payout.reference, by: 'eve' };
        await inOne((session) => settlePayouts(session, mover, paidBy(payment)));
      }
    }
  }

  /** After every step: the audit has nothing to say, and each affiliate has what the files that are in would give. */
  async #check(): Promise<void> {
    const { world } = this.desk;
    await db.session((session) => prove(session, world));
    const files = new Set(this.#imports.keys());
    for (const ref of ['ann', 'bob'] as const)
      expect(await this.#sum(ref, (status) => status !== 'declined')).toBe(earnedBy(files, ref));
  }

  async #sum(ref: string, counts: (status: string) => boolean): Promise<bigint> {
    const { world } = this.desk;
    const { id } = await db.sql
      .selectFrom('affiliate')
      .select('id')
      .where('account_id', '=', world.accountId)
      .where('ref', '=', ref)
      .executeTakeFirstOrThrow();
    const rows = (await commissionsOf(world)).filter((row) => row.affiliate_id === id && counts(row.status));
    return rows.reduce((sum, row) => sum + row.amount, 0n);
  }

  /** Once everything is paid out, nothing positive is left: what was paid and what is owed back is what was earned. */
  async checkPaid(): Promise<void> {
    for (const ref of ['ann', 'bob'] as const) {
      const left = await this.#sum(ref, (status) => status !== 'paid' && status !== 'declined');
      expect(left <= 0n).toBe(true);
      const paid = await this.#sum(ref, (status) => status === 'paid');
      expect(paid + left).toBe(earnedBy(new Set(this.#imports.keys()), ref));
    }
  }
}

test(
  'whatever is imported, released, paid and undone, in whatever order: the books balance, and everyone gets what the imports that stand alone would give',
  async () => {
    await holds(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 16 }), async (steps) => {
        const desk = await deskWithTwo(db, { program: { minimum_payout: '0', payout_approval: 'manual' } });
        const story = new Story(desk);
        for (const one of steps) await story.take(one);
        await story.payEverything();
        await story.checkPaid();
      }),
      12,
    );
  },
  240_000 * tries,
);
