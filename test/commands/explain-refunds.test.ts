import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { beforeAll, expect, test } from 'vitest';
import { newId, showId } from '../../src/ids.ts';
import { adjust } from '../../src/ledger/adjust.ts';
import { testDatabase } from '../support/database.ts';
import { outboxOf } from '../support/work.ts';
import { payrun, payrunJson } from './payrun.ts';
import { openShop, type Shop } from './shop.ts';

const { db, url } = await testDatabase();
let shop: Shop;
let adjustment: string;

const file = `external_id,affiliate,amount,currency,occurred_at,refund_of
RF-1,,250.00,USD,2026-01-20T12:00:00Z,INV-1
RF-3,,100.00,USD,2026-01-20T12:00:00Z,INV-3
RF-9,,1.00,USD,2026-01-20T12:00:00Z,INV-9
`;

beforeAll(async () => {
  shop = await openShop(url, { payout_approval: 'manual' });
  await writeFile(path.join(shop.cwd, 'refunds.csv'), file);
  await payrunJson(['import', 'sales', 'refunds.csv'], shop);
  await db.transaction(async (session) => {
    const {
      account_id: accountId,
      affiliate_id,
      program_id,
    } = await session.sql
      .selectFrom('conversion')
      .selectAll()
      .where('external_id', '=', 'INV-1')
      .executeTakeFirstOrThrow();
    const run = await session.sql.selectFrom('run').select('id').executeTakeFirstOrThrow();
    const mover = { accountId, runId: run.id, now: new Date('2026-02-01T00:00:00Z') };
    const given = { affiliateId: affiliate_id, programId: program_id, currency: 'USD', amount: -1_000n };
    const [id] = await adjust(session, mover, [{ ...given, reason: 'paid twice', by: 'Eve' }]);
    adjustment = showId('commission', id!);
    const dispute = {
      account_id: accountId,
      conversion_id: (
        await session.sql
          .selectFrom('conversion')
          .select('id')
          .where('external_id', '=', 'INV-4')
          .executeTakeFirstOrThrow()
      ).id,
      id: newId(mover.now),
      import_id: run.id,
      line: 2,
      currency: 'USD',
      closed_at: null,
    };
    await session.sql
      .insertInto('dispute')
      .values({ ...dispute, external_id: 'DP-4', amount: 5_000n, status: 'open', opened_at: mover.now })
      .execute();
  });
  await payrunJson(['release', '--as-of', '2026-03-02'], shop);
  await payrunJson(['payouts', 'prepare', '--as-of', '2026-03-02', '--by', 'ada'], shop);
});

async function words(id: string): Promise<string> {
  const { code, stdout } = await payrun(['explain', id], shop);
  expect(code).toBe(0);
  return stdout;
}

test('a sale that was refunded in part says what that took of its commission, and where it is', async () => {
  const text = await words('INV-1');
  expect(text).toContain('partial refunded');
  expect(text).toMatch(
    /2026-01-20 13:00 Europe\/Berlin: 250\.00 USD by RF-1; it takes back 75\.00 USD of the commission \(com_\w+, in the payout [0-9A-Z]{12}, which is draft\)\./,
  );
  expect(await words('RF-1')).toBe(text);
});

test('a reversal is explained with its sale, by its own id', async () => {
  const { refunds } = (await payrunJson(['explain', 'RF-1'], shop)) as {
    refunds: { commission: { commission: string } }[];
  };
  expect(await words(refunds[0]!.commission.commission)).toContain('by RF-1');
});

test('a sale that was refunded in full says that its commission is declined for it', async () => {
  expect(await words('INV-3')).toContain('Declined: the sale was refunded in full.');
});

test('a disputed sale says that it is held back, and by which dispute', async () => {
  const text = await words('DP-4');
  expect(text).toContain('Held back, because the dispute DP-4 is open.');
  expect(text).toContain('DP-4 of 50.00 USD is open since');
  expect(text).toContain('1. The dispute ends.');
});

test('an adjustment says who made it, and why', async () => {
  const text = await words(adjustment);
  expect(text).toContain('-10.00 USD');
  expect(text).toContain('paid twice');
  expect(text).toContain('Eve, 2026-02-01');
  expect(text).toMatch(/In the payout [0-9A-Z]{12}/);
});

test('the detailed report shows refunds and adjustments as lines of their own, and they sum to the payout', async () => {
  const [batch] = (await payrunJson(['payouts', 'list'], shop)) as { batch: string }[];
  await payrunJson(['payouts', 'export', batch!.batch, '--format', 'report', '--detail'], shop);
  const files = await outboxOf(shop.cwd);
  const name = Object.keys(files).find((one) => one.endsWith('.csv'))!;
  const rows = parse(files[name]!, { columns: true }) as Record<string, string>[];
  expect(
    rows.map(({ external_id, sale_amount, amount, note }) => [external_id, sale_amount, amount, note]).sort(),
  ).toEqual([
    ['', '', '-10.00', 'adjustment: paid twice'],
    ['INV-1', '-250.00', '-75.00', 'refund RF-1'],
    ['INV-1', '1000.00', '300.00', ''],
  ]);
});

test('a refund whose sale has not come is told to wait, with where it came from', async () => {
  const { code, stdout } = await payrun(['explain', 'RF-9'], shop);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Refund RF-9 {2}1\.00 USD {2}parked$/m);
  expect(stdout).toMatch(/from +refunds\.csv, line 4 \(imp_/);
  expect(stdout).toContain('It is not booked yet: no sale "INV-9" is recorded.');
  expect(await payrunJson(['explain', 'RF-9'], shop)).toMatchObject({
    kind: 'parked_refund',
    sale: 'INV-9',
    amount: '1.00',
    line: 4,
  });
});
