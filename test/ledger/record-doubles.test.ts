import { describe, expect, test } from 'vitest';
import { listConflicts } from '../../src/ledger/conflicts.ts';
import { audited, booked, referrals } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import { openDesk } from '../support/desk.ts';
import { deskWithTwo, header, land } from './selling.ts';

const { db } = await testDatabase();
describe('the same sale again', () => {
  test('with the same facts is a duplicate, and nothing changes', async () => {
    const desk = await deskWithTwo(db);
    const row = 's-1,ann,100.00,USD,2026-01-10T10:00:00Z';
    expect(await land(desk, [row])).toMatchObject({ recorded: 1 });
    const before = await booked(desk.world);
    expect(await land(desk, [row])).toEqual({ duplicates: 1, differences: [] });
    expect(await booked(desk.world)).toEqual(before);
  });

  test('is the same whether its amount, time, products or affiliate are written another way', async () => {
    const desk = await openDesk(db);
    await desk.world.affiliate({ ref: 'ann', email: 'ann@example.com' });
    await land(desk, ['s-1,ann,100,USD,2026-01-10T10:00:00Z,a;b'], ',product_ids');
    const again = [
      's-1, ANN ,100.000,usd,2026-01-10T11:00:00+01:00,b|a',
      's-1,Ann@Example.com,0100.00,USD,2026-01-10 11:00:00,b;;a;b',
    ];
    expect(await land(desk, again, ',product_ids')).toEqual({ duplicates: 2, differences: [] });
  });

  test('is the same when only what is no fact differs: customer, note, hold, prices, interval', async () => {
    const desk = await deskWithTwo(db);
    const more = ',customer_id,note,hold_days,price_ids,interval';
    await land(desk, ['s-1,ann,100.00,USD,2026-01-10T10:00:00Z,c1,one,5,x,monthly'], more);
    const before = await booked(desk.world);
    expect(await land(desk, ['s-1,ann,100.00,USD,2026-01-10T10:00:00Z,c2,two,9,y,yearly'], more)).toEqual({
      duplicates: 1,
      differences: [],
    });
    expect(await booked(desk.world)).toEqual(before);
    expect(await referrals(desk.world)).toHaveLength(1);
  });

  test('in conflict several times in one file is told with each of its lines, and is one thing to decide', async () => {
    const desk = await deskWithTwo(db);
    await land(desk, ['s-1,ann,100.00,USD,2026-01-10T10:00:00Z']);
    const other = 's-1,ann,90.00,USD,2026-01-10T10:00:00Z';
    const text = `${[header, other, 's-2,ann,1.00,USD,2026-01-10T10:00:00Z', other, other].join('\n')}\n`;
    const { counts, report } = await desk.land('sales', text);
    expect(counts).toMatchObject({ recorded: 1, conflicts: 3 });
    expect(report.conflict_rows.map(({ line }) => line)).toEqual([2, 4, 5]);
    const open = await listConflicts(db.sql, desk.world.accountId, { all: true, limit: 10 });
    expect(open).toMatchObject([{ line: 2, external_id: 's-1' }]);
  });

  test('in conflict does not warn that somebody was credited with it', async () => {
    const desk = await deskWithTwo(db);
    const columns = ',customer_id';
    await land(desk, ['s-1,ann,100.00,USD,2026-01-10T10:00:00Z,c1'], columns);
    const warnings = async (row: string) => {
      const { report } = await desk.land('sales', `${header}${columns}\n${row}\n`);
      return report.warnings.filter((one) => one.includes('another affiliate'));
    };
    expect(await warnings('s-1,bob,100.00,USD,2026-01-10T10:00:00Z,c1')).toEqual([]);
    expect(await warnings('s-2,bob,100.00,USD,2026-01-10T10:00:00Z,c1')).toHaveLength(1);
  });

  test('with other facts is a conflict that says which, field by field, and what was recorded stays', async () => {
    const desk = await deskWithTwo(db);
    await land(desk, ['s-1,ann,100.00,USD,2026-01-10T10:00:00Z,a'], ',product_ids');
    const before = await booked(desk.world);
    const others = [
      's-1,bob,100.00,USD,2026-01-10T10:00:00Z,a',
      's-1,ann,100.01,USD,2026-01-10T10:00:00Z,a',
      's-1,ann,100.00,USD,2026-01-10T10:00:01Z,a',
      's-1,ann,100.00,USD,2026-01-10T10:00:00Z,a;b',
      's-1,ann,100.00,USD,2026-01-10T10:00:00Z,',
    ];
    expect(await land(desk, others, ',product_ids')).toEqual({
      conflicts: 5,
      differences: [
        { affiliate: { ours: 'ann', theirs: 'bob' } },
        { amount: { ours: '100.00', theirs: '100.01' } },
        { occurred_at: { ours: '2026-01-10T10:00:00+00:00', theirs: '2026-01-10T10:00:01+00:00' } },
        { product_ids: { ours: ['a'], theirs: ['a', 'b'] } },
        { product_ids: { ours: ['a'], theirs: [] } },
      ],
    });
    expect(await booked(desk.world)).toEqual(before);
    const kept = await db.sql
      .selectFrom('conflict')
      .select(['line', 'status'])
      .where('account_id', '=', desk.world.accountId)
      .orderBy('line')
      .execute();
    expect(kept).toEqual([2, 3, 4, 5, 6].map((line) => ({ line, status: 'open' })));
  });

  test('in another currency is a conflict about currency and amount', async () => {
    const desk = await deskWithTwo(db, { rates: ['EUR,USD,2026-01-10,1.1,ECB'] });
    await land(desk, ['s-1,ann,100.00,USD,2026-01-10T10:00:00Z']);
    expect(await land(desk, ['s-1,ann,90.00,EUR,2026-01-10T10:00:00Z'])).toEqual({
      conflicts: 1,
      differences: [
        { amount: { ours: '100.00', theirs: '90.00' }, currency: { ours: 'USD', theirs: 'EUR' } },
      ],
    });
  });

  test('the same conflict again is counted, but kept once', async () => {
    const desk = await deskWithTwo(db);
    await land(desk, ['s-1,ann,100.00,USD,2026-01-10T10:00:00Z']);
    for (let time = 0; time < 2; time += 1)
      expect(await land(desk, ['s-1,ann,200.00,USD,2026-01-10T10:00:00Z'])).toMatchObject({ conflicts: 1 });
    const kept = await db.sql
      .selectFrom('conflict')
      .select('line')
      .where('account_id', '=', desk.world.accountId)
      .execute();
    expect(kept).toHaveLength(1);
  });
});

describe('doubles within one file', () => {
  test('the first counts; later ones are duplicates or conflicts of it, and say where they stand', async () => {
    const desk = await deskWithTwo(db);
    const rows = [
      's-1,ann,100.00,USD,2026-01-10T10:00:00Z',
      's-2,bob,50.00,USD,2026-01-10T10:00:00Z',
      's-1,ann,100.00,USD,2026-01-10T10:00:00Z',
      's-1,ann,30.00,USD,2026-01-10T10:00:00Z',
    ];
    expect(await land(desk, rows)).toEqual({
      recorded: 2,
      duplicates: 1,
      conflicts: 1,
      differences: [{ amount: { ours: '100.00', theirs: '30.00' } }],
    });
    const books = await booked(desk.world);
    expect([books.get('s-1')?.amount, books.get('s-1')?.line]).toEqual([10_000n, 2]);
    expect(await audited(desk.world)).toEqual([]);
    expect(await land(desk, rows.slice(0, 3))).toEqual({ duplicates: 3, differences: [] });
  });

  test('the first counts also when it is the later sale, and a row that was rejected is no first', async () => {
    const desk = await deskWithTwo(db);
    const rows = [
      's-1,nobody,100.00,USD,2026-01-10T10:00:00Z',
      's-1,ann,x,USD,2026-01-10T10:00:00Z',
      's-1,ann,100.00,USD,2026-01-20T10:00:00Z',
      's-1,ann,100.00,USD,2026-01-10T10:00:00Z',
    ];
    expect(await land(desk, rows)).toMatchObject({ rejected: 2, recorded: 1, conflicts: 1 });
    expect((await booked(desk.world)).get('s-1')?.occurred_at).toEqual(new Date('2026-01-20T10:00:00Z'));
  });

  test('an open sale that is complete further down ends complete, counted once as recorded and once as updated', async () => {
    const desk = await deskWithTwo(db);
    const row = (status: string) => `s-1,ann,100.00,USD,2026-01-10T10:00:00Z,${status}`;
    const rows = ['open', 'complete', 'open', 'failed'].map(row);
    expect(await land(desk, rows, ',sales_status')).toEqual({
      recorded: 1,
      updated: 1,
      duplicates: 1,
      conflicts: 1,
      differences: [{ sales_status: { ours: 'complete', theirs: 'failed' } }],
    });
    expect((await booked(desk.world)).get('s-1')).toMatchObject({
      sales_status: 'complete',
      commission_status: 'pending',
    });
    expect(await audited(desk.world)).toEqual([]);
  });

  test('a conflicting double does not decide whose customer it is, even if it is the earlier sale', async () => {
    const desk = await deskWithTwo(db);
    const rows = ['s-1,ann,100.00,USD,2026-01-20T10:00:00Z,c1', 's-1,bob,100.00,USD,2026-01-10T10:00:00Z,c1'];
    expect(await land(desk, rows, ',customer_id')).toMatchObject({ recorded: 1, conflicts: 1 });
    expect(await referrals(desk.world)).toMatchObject([{ customer_id: 'c1', affiliate: 'ann' }]);
  });
});

test('ids that differ in case are two sales, and an id prefix keeps two upstreams apart', async () => {
  const desk = await openDesk(db, { sources: [{ ref: 'shop', kind: 'sales_csv', id_prefix: 'shop:' }] });
  await desk.world.affiliate({ ref: 'ann' });
  const rows = ['A-1,ann,100.00,USD,2026-01-10T10:00:00Z', 'a-1,ann,100.00,USD,2026-01-10T10:00:00Z'];
  await desk.land('sales', `${[header, ...rows].join('\n')}\n`, { source: 'shop' });
  await land(desk, [rows[0]!]);
  expect([...(await booked(desk.world)).keys()]).toEqual(['shop:A-1', 'shop:a-1']);
});
