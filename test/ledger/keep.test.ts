import { describe, expect, test } from 'vitest';
import { newId } from '../../src/ids.ts';
import { listConflicts, readConflict } from '../../src/ledger/conflicts.ts';
import { keepConflicts } from '../../src/ledger/keep.ts';
import { audited, booked } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import type { Desk } from '../support/desk.ts';
import { today } from '../support/world.ts';
import { deskWithTwo, land } from './selling.ts';

const { db } = await testDatabase();
const recorded = 's-1,ann,100.00,USD,2026-01-10T10:00:00Z';
const other = 's-1,bob,120.00,USD,2026-01-11T10:00:00Z';
const third = 's-1,bob,130.00,USD,2026-01-11T10:00:00Z';

async function deskWithConflict(): Promise<{ desk: Desk; id: string }> {
  const desk = await deskWithTwo(db);
  await land(desk, [recorded]);
  expect(await land(desk, [other])).toMatchObject({ conflicts: 1 });
  const [conflict] = await open(desk);
  return { desk, id: conflict!.id };
}

function open({ world }: Desk, all = false) {
  return listConflicts(db.sql, world.accountId, { all, limit: 10 });
}

function keep({ world }: Desk, ids: string[], by = 'Ada', reason?: string): Promise<void> {
  return db.transaction((session) =>
    keepConflicts(session, world.mover, { conflictIds: ids, by, reason }),
  ) as Promise<void>;
}

describe('a conflict', () => {
  test('keeps all that the row which came again said, and where it stood', async () => {
    const desk = await deskWithTwo(db, { rates: ['EUR,USD,2026-01-11,1.10,ECB'] });
    await land(desk, [`${recorded},,`], ',product_ids,interval');
    await land(desk, ['s-1,bob,90.00,EUR,2026-01-11T10:00:00Z,b;a,monthly'], ',product_ids,interval');
    const [summary] = await open(desk);
    const story = await db.transaction((session) => readConflict(session, desk.world.accountId, summary!.id));
    const bob = await db.sql
      .selectFrom('affiliate')
      .select('id')
      .where('account_id', '=', desk.world.accountId)
      .where('ref', '=', 'bob')
      .executeTakeFirstOrThrow();
    expect(story.conflict).toMatchObject({
      affiliate_id: bob.id,
      amount: 9_000n,
      currency: 'EUR',
      occurred_at: new Date('2026-01-11T10:00:00Z'),
      occurred_at_given: true,
      product_ids: ['a', 'b'],
      interval: 'monthly',
      fx_rate: '1.10',
      fx_day: '2026-01-11',
      fx_source: 'ECB',
      found_at: today,
      line: 2,
    });
    expect([story.affiliateRef, story.ours?.rows, story.theirs?.rows]).toEqual(['ann', 1, 1]);
  });

  test('is decided once, by name; what was recorded stays, and the books balance', async () => {
    const { desk, id } = await deskWithConflict();
    const before = await booked(desk.world);
    await keep(desk, [id], ' Ada ', 'the file was wrong');
    expect(await open(desk)).toEqual([]);
    expect(await open(desk, true)).toMatchObject([
      { id, status: 'kept', decided_by: 'Ada', decided_at: today, reason: 'the file was wrong' },
    ]);
    expect(await booked(desk.world)).toEqual(before);
    expect(await audited(desk.world)).toEqual([]);
    await expect(keep(desk, [id], 'Bob')).rejects.toMatchObject({
      code: 'state',
      message: 'The conflict was decided before: kept by Ada.',
    });
  });

  test('is decided by one of two persons at the same moment', async () => {
    const { desk, id } = await deskWithConflict();
    const ended = await Promise.allSettled([keep(desk, [id], 'Ada'), keep(desk, [id], 'Bob')]);
    expect(ended.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const winner = ended[0]!.status === 'fulfilled' ? 'Ada' : 'Bob';
    expect(await open(desk, true)).toMatchObject([{ decided_by: winner }]);
  });

  test('is not decided when another one named with it can’t be, or nobody says who decides', async () => {
    const { desk, id } = await deskWithConflict();
    await expect(keep(desk, [id, newId(today)])).rejects.toMatchObject({ code: 'not-found' });
    await expect(keep(desk, [id], ' ')).rejects.toMatchObject({ code: 'usage' });
    const stranger = await deskWithTwo(db);
    await expect(keep(stranger, [id])).rejects.toMatchObject({ code: 'not-found' });
    expect(await open(desk)).toHaveLength(1);
  });
});

describe('a row that a person has put aside', () => {
  test('is a duplicate when it comes again, however often; before it was a conflict each time', async () => {
    const { desk, id } = await deskWithConflict();
    expect(await land(desk, [other])).toMatchObject({ conflicts: 1 });
    await keep(desk, [id]);
    for (let times = 0; times < 2; times += 1)
      expect(await land(desk, [other, recorded])).toEqual({ duplicates: 2, differences: [] });
    expect(await open(desk, true)).toHaveLength(1);
  });

  test('does not hide a third version, nor the same facts with another end', async () => {
    const { desk, id } = await deskWithConflict();
    await keep(desk, [id]);
    expect(await land(desk, [third])).toMatchObject({ conflicts: 1 });
    expect(await land(desk, [`${other},failed`], ',sales_status')).toMatchObject({ conflicts: 1 });
    const amounts = (await open(desk)).map(({ difference }) => difference.amount?.theirs);
    expect(amounts.sort()).toEqual(['120.00', '130.00']);
  });
});
