import { expect, test } from 'vitest';
import { suggester } from '../../src/imports/suggestions.ts';
import { createStage } from '../../src/ledger/stage.ts';
import { testDatabase } from '../support/database.ts';
import { World } from '../support/world.ts';

const { db } = await testDatabase();

test.each<[what: string, found: string, suggested: string]>([
  ['one letter too many', 'annas', 'anna'],
  ['two letters exchanged in a longer name', 'bertahb', 'bertha'],
  ['another case and a slip', 'BERTAH', 'bertha'],
  ['a short code', 'SUMMER25', 'SUMMER26'],
  ['two affiliates as near', 'lisb', ''],
  ['nothing near', 'somebody', ''],
  ['a name too short to tell', 'xy', ''],
  ['an e-mail address, which is shown nowhere', 'anna@example.con', ''],
])('for an unknown affiliate the only one that is near is suggested: %s', async (_, found, suggested) => {
  const world = await World.create(db);
  for (const ref of ['anna', 'bertha', 'lisa', 'lise', 'xyz']) await world.affiliate({ ref });
  await world.affiliate({ ref: 'carl', short_code: 'SUMMER26' });
  const suggestion = await db.transaction(async (session) => {
    await createStage(session);
    await session.client.query(
      `insert into outcome (n, line, verdict, code, field, found) values (1, 2, 'rejected', 'affiliate-unknown', 'affiliate', $1)`,
      [found],
    );
    const suggest = await suggester(session, world.accountId);
    return suggest({ code: 'affiliate-unknown', field: 'affiliate', found });
  });
  expect(suggestion).toBe(suggested);
});

test.each([
  ['currency-unknown', 'currency', '€', 'EUR'],
  ['currency-unknown', 'currency', 'U.S.D.', 'USD'],
  ['currency-unknown', 'currency', '$', ''],
  ['choice', 'interval', 'month', 'monthly'],
  ['choice', 'sales_status', 'completed', 'complete'],
  ['choice', 'sales_status', 'paid', ''],
  ['event-type', 'event_type', 'conversions', 'conversion'],
  ['amount-format', 'amount', '1,234', ''],
  ['date-format', 'occurred_at', '03/04/2026', ''],
])(
  '%s of %s "%s" gets "%s", and what would be a guess gets nothing',
  async (code, field, found, suggested) => {
    const suggest = await db.transaction(async (session) => {
      await createStage(session);
      return suggester(session, 0);
    });
    expect(suggest({ code, field, found })).toBe(suggested);
  },
);
