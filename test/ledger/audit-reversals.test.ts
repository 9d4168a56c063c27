import { expect, test } from 'vitest';
import { auditBooks } from '../../src/ledger/audit.ts';
import { testDatabase } from '../support/database.ts';
import { refund, sold } from './refunding.ts';
import { change } from './sound.ts';

const { db } = await testDatabase();

const reversal = 'where account_id = $1 and reverses is not null';
const sale = "where account_id = $1 and external_id = 'S'";

test.each([
  [
    'of another programme than what it takes back',
    `update commission set program_id = gen_random_uuid() ${reversal}`,
    /it takes back a commission of another affiliate, programme or currency/,
  ],
  [
    'that gives instead of taking',
    `update commission set amount = 500 ${reversal}`,
    /gives instead of taking/,
  ],
  [
    'of one cent too much',
    `update commission set amount = amount - 1 ${reversal}`,
    /5\.01 USD of it are taken back, the refunds of its sale say 5\.00 USD/,
  ],
  [
    'that is missing',
    `delete from commission ${reversal}`,
    /0\.00 USD of it are taken back, the refunds of its sale say 5\.00 USD/,
  ],
  [
    'of nothing that is there',
    `update commission set reverses = gen_random_uuid() ${reversal}`,
    /1 reversals without the commission they take back/,
  ],
  ['without its refund', 'delete from refund where account_id = $1', /1 reversals without their refund/],
  [
    'of a sale that says it was not refunded',
    `update conversion set sales_status = 'complete' ${sale}`,
    /sale S: it is complete, its refunds say otherwise/,
  ],
  [
    'of a sale that is refunded without refunds',
    `update conversion set sales_status = 'refunded' ${sale}`,
    /sale S: it is refunded, its refunds say otherwise/,
  ],
  [
    'of more than the sale',
    'update refund set amount = 10001 where account_id = $1',
    /sale S: it is partial_refunded, its refunds say otherwise/,
  ],
])('the audit finds a reversal %s', async (_, damage, message) => {
  const { world } = await sold(db);
  await refund(world, {});
  const findings = async () =>
    (await db.session((session) => auditBooks(session, world.accountId)))
      .map((one) => one.message)
      .join('\n');
  expect(await findings()).not.toMatch(message);
  await change(world, damage);
  expect(await findings()).toMatch(message);
});
