import { expect, test } from 'vitest';
import { preparePayouts, readPayoutWarnings } from '../../src/payouts/payout.ts';
import { testDatabase } from '../support/database.ts';
import { testWork } from '../support/work.ts';
import { World } from '../support/world.ts';

const { db } = await testDatabase();

const ready = { status: 'ready_for_payment' as const };

test('methods without a file, and currencies that a method does not carry, are told before and with the preparation', async () => {
  const world = await World.create(db, { ref: 'main' });
  const people = [
    ['wise', 'USD', 1_000n],
    ['wise', 'USD', 250n],
    ['sepa', 'USD', 700n],
    ['sepa', 'EUR', 300n],
    ['manual', 'USD', 40n],
    ['paypal', 'USD', 5n],
  ] as const;
  for (const [payout_method, currency, amount] of people) {
    const affiliate = await world.affiliate({ payout_method });
    await world.sale(affiliate.id, { ...ready, currency, amount }, { currency });
  }
  await world.affiliate({ payout_method: 'ach' });
  const before = await readPayoutWarnings(db.sql, world.accountId);
  const told = [
    expect.stringMatching(/^the method sepa has no payout file format yet: 1 affiliate, 3\.00 EUR/),
    expect.stringMatching(/^the method sepa carries EUR only: 1 affiliate with 7\.00 USD is left out/),
    expect.stringMatching(/^the method wise has no payout file format yet: 2 affiliates, 12\.50 USD/),
  ];
  expect(before).toEqual([
    expect.stringMatching(/^the method ach has no payout file format yet: 1 affiliate, nothing ready/),
    ...told,
  ]);

  const outcome = await preparePayouts(testWork(world), { preparedBy: 'Ada' });
  const { warnings, left_out, batches } = outcome.report as Record<string, Record<string, string>[]>;
  expect(warnings).toHaveLength(3);
  expect(warnings).toEqual(expect.arrayContaining(told));
  expect(left_out).toMatchObject([{ reason: 'currency_not_carried', amount: '7.00', currency: 'USD' }]);
  expect(batches!.map(({ method, currency }) => `${method} ${currency}`).sort()).toEqual([
    'manual USD',
    'paypal USD',
    'sepa EUR',
    'wise USD',
  ]);
});

test('where everyone is paid by a method with a file there is nothing to tell', async () => {
  const world = await World.create(db);
  await world.sale((await world.affiliate()).id, ready);
  expect(await readPayoutWarnings(db.sql, world.accountId)).toEqual([]);
  const { report } = await preparePayouts(testWork(world), { preparedBy: 'Ada' });
  expect(report).toMatchObject({ warnings: [] });
});
