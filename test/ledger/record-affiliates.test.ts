import { describe, expect, test } from 'vitest';
import { showId } from '../../src/ids.ts';
import { audited, booked, referrals } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import { type Desk, openDesk } from '../support/desk.ts';

const { db } = await testDatabase();
const header = 'external_id,affiliate,amount,currency,occurred_at';

/** Imports one sale for each name, `s-1`, `s-2`, …, and says who was credited or why it was rejected. */
async function credited(desk: Desk, names: string[]): Promise<(string | undefined)[]> {
  const rows = names.map((name, index) => `s-${index + 1},"${name}",100.00,USD,2026-01-10T10:00:00Z`);
  const { report } = await desk.land('sales', `${[header, ...rows].join('\n')}\n`);
  const books = await booked(desk.world);
  const fault = (line: number) => report.rejected_groups.find(({ first_line }) => first_line === line)?.code;
  return names.map((_, index) => books.get(`s-${index + 1}`)?.affiliate ?? fault(index + 2));
}

describe('an affiliate', () => {
  test('is found by id in both forms, ref, short code or e-mail, in any case and with spaces around', async () => {
    const desk = await openDesk(db);
    const { id } = await desk.world.affiliate({ ref: 'Ann-1', short_code: 'ANN', email: 'Ann@Example.com' });
    const shown = showId('affiliate', id);
    const names = [id, shown, 'Ann-1', 'ANN', 'Ann@Example.com'];
    const asked = names.flatMap((name) => [name, name.toUpperCase(), name.toLowerCase(), `  ${name} `]);
    expect(await credited(desk, asked)).toEqual(asked.map(() => 'Ann-1'));
  });

  test('is found however the accents of its name are encoded', async () => {
    const desk = await openDesk(db);
    await desk.world.affiliate({ ref: 'José'.normalize('NFC') });
    const names = ['José'.normalize('NFD'), 'JOSÉ'.normalize('NFC'), 'josé'.normalize('NFD')];
    expect(await credited(desk, names)).toEqual(names.map(() => 'José'.normalize('NFC')));
  });

  test('that nobody knows rejects the row, and so does an id of something else', async () => {
    const desk = await openDesk(db);
    const { id } = await desk.world.affiliate({ ref: 'ann' });
    expect(await credited(desk, ['nobody'])).toEqual(['affiliate-unknown']);
    expect(await credited(desk, [showId('referral', id)])).toEqual(['affiliate-unknown']);
  });

  test('of another account is nobody here', async () => {
    const [here, there] = [await openDesk(db), await openDesk(db)];
    await there.world.affiliate({ ref: 'ann', email: 'ann@example.com' });
    expect(await credited(here, ['ann'])).toEqual(['affiliate-unknown']);
  });

  test('whose name fits two is refused as ambiguous, never guessed', async () => {
    const desk = await openDesk(db);
    await desk.world.affiliate({ ref: 'ann', short_code: 'TOP' });
    await desk.world.affiliate({ ref: 'top', email: 'bob@example.com' });
    await desk.world.affiliate({ ref: 'cho', short_code: 'x1', email: 'bob@example.com' });
    expect(await credited(desk, ['Top'])).toEqual(['affiliate-ambiguous']);
    expect(await credited(desk, ['bob@example.com'])).toEqual(['affiliate-ambiguous']);
  });

  test('that differs from another in case alone is told apart by its exact spelling', async () => {
    const desk = await openDesk(db);
    await desk.world.affiliate({ ref: 'ann', short_code: 'abc' });
    await desk.world.affiliate({ ref: 'bob', short_code: 'ABC' });
    expect(await credited(desk, ['abc', 'ABC', ' abc '])).toEqual(['ann', 'bob', 'ann']);
    expect(await credited(desk, ['Abc'])).toEqual(['ann']);
    const { counts } = await desk.land('sales', `${header}\nx,Abc,1,USD,2026-01-10\n`);
    expect(counts).toMatchObject({ rejected: 1 });
  });
});

describe('what an affiliate earns depends on its status', () => {
  test.each([
    ['active', 2_000n, null],
    ['pending', 2_000n, null],
    ['paused', null, 'the affiliate is paused'],
    ['banned', null, 'the affiliate is banned'],
  ] as const)('%s', async (status, commission, reason) => {
    const desk = await openDesk(db);
    await desk.world.affiliate({ ref: 'ann', status });
    expect(await credited(desk, ['ann'])).toEqual(['ann']);
    expect((await booked(desk.world)).get('s-1')).toMatchObject({
      amount: 10_000n,
      commission,
      no_commission_reason: reason,
      commission_status: commission === null ? null : 'pending',
    });
    expect(await audited(desk.world)).toEqual([]);
  });
});

describe('a customer', () => {
  const columns = `${header},customer_id,customer_email`;
  const land = async (desk: Desk, ...rows: string[]) =>
    desk.land('sales', `${[columns, ...rows].join('\n')}\n`);
  const who = async (desk: Desk) =>
    (await referrals(desk.world)).map((one) => [one.customer_id ?? one.email, one.affiliate, one.status]);

  async function deskWithTwo(): Promise<Desk> {
    const desk = await openDesk(db);
    for (const ref of ['ann', 'bob']) await desk.world.affiliate({ ref });
    return desk;
  }

  test('that a sale names with an affiliate becomes a referral of that affiliate, once', async () => {
    const desk = await deskWithTwo();
    await land(
      desk,
      's-1,ann,100,USD,2026-01-12,c1,',
      's-2,ann,100,USD,2026-01-10,c1,kim@example.com',
      's-3,ann,100,USD,2026-01-11,,KIM@example.com',
    );
    expect(await who(desk)).toEqual([['c1', 'ann', 'customer']]);
    const books = await booked(desk.world);
    expect(new Set([...books.values()].map((sale) => sale.referral_id)).size).toBe(1);
  });

  test('that is known credits its affiliate when the row names none', async () => {
    const desk = await deskWithTwo();
    await land(desk, 's-1,ann,100,USD,2026-01-10,c1,', 's-2,bob,100,USD,2026-01-10,,lee@example.com');
    await land(desk, 's-3,,100,USD,2026-01-11,c1,', 's-4,,100,USD,2026-01-11,,Lee@Example.com');
    const books = await booked(desk.world);
    expect([books.get('s-3')?.affiliate, books.get('s-4')?.affiliate]).toEqual(['ann', 'bob']);
  });

  test('that stands in the same file credits its affiliate too, whichever row comes first', async () => {
    const desk = await deskWithTwo();
    const { counts } = await land(desk, 's-1,,100,USD,2026-01-10,c1,', 's-2,ann,100,USD,2026-01-11,c1,');
    expect(counts).toMatchObject({ recorded: 2, rejected: 0 });
    expect((await booked(desk.world)).get('s-1')?.affiliate).toBe('ann');
  });

  test('that nobody knows rejects a row without affiliate, and so does a row that names neither', async () => {
    const desk = await deskWithTwo();
    const { counts, report } = await land(desk, 's-1,,100,USD,2026-01-10,c9,', 's-2,,100,USD,2026-01-10,,');
    expect(counts).toMatchObject({ recorded: 0, rejected: 2 });
    expect(report.rejected_groups).toMatchObject([
      { code: 'customer-unknown', field: 'customer_id', rows: 2 },
    ]);
  });

  test('of another affiliate: the sale’s own is credited, the referral stays, and the report warns', async () => {
    const desk = await deskWithTwo();
    await land(desk, 's-1,ann,100,USD,2026-01-10,c1,kim@example.com');
    const { report } = await land(
      desk,
      's-9,bob,100,USD,2026-01-11,c1,',
      's-3,bob,100,USD,2026-01-12,,kim@example.com',
    );
    expect(report.warnings).toEqual([
      '2 rows name another affiliate than their customer belongs to; the rows’ own were credited (the first in line 2)',
    ]);
    expect(await who(desk)).toEqual([['c1', 'ann', 'customer']]);
    const books = await booked(desk.world);
    expect([books.get('s-9'), books.get('s-3')]).toMatchObject([
      { affiliate: 'bob', referral_id: null },
      { affiliate: 'bob', referral_id: null },
    ]);
  });

  test('whose e-mail is known under two affiliates is ambiguous, unless the row names one of them', async () => {
    const desk = await deskWithTwo();
    await land(
      desk,
      's-1,ann,100,USD,2026-01-10,c1,kim@example.com',
      's-2,bob,100,USD,2026-01-10,c2,kim@example.com',
    );
    const { report } = await land(desk, 's-3,,100,USD,2026-01-11,,kim@example.com');
    expect(report.rejected_groups).toMatchObject([{ code: 'customer-ambiguous', rows: 1 }]);
    await land(desk, 's-4,bob,100,USD,2026-01-11,,kim@example.com');
    const books = await booked(desk.world);
    expect(books.get('s-4')?.referral_id).toBe(books.get('s-2')?.referral_id);
  });

  test('becomes active by a subscription from any door, and never less by what comes later', async () => {
    const desk = await deskWithTwo();
    const more = `${columns},is_subscription,sales_status`;
    const sale = (n: number, rest: string) =>
      desk.land('sales', `${more}\ns-${n},ann,100,USD,2026-01-1${n},c1,,${rest}\n`);
    await sale(1, 'no,failed');
    expect(await who(desk)).toEqual([['c1', 'ann', 'lead']]);
    await sale(2, 'no,open');
    expect(await who(desk)).toEqual([['c1', 'ann', 'customer']]);
    await sale(3, 'yes,complete');
    expect(await who(desk)).toEqual([['c1', 'ann', 'active']]);
    await sale(4, 'no,complete');
    expect(await who(desk)).toEqual([['c1', 'ann', 'active']]);
  });

  test('that was set to canceled or rejected by hand is left so', async () => {
    const desk = await deskWithTwo();
    await land(desk, 's-1,ann,100,USD,2026-01-10,c1,', 's-2,ann,100,USD,2026-01-10,c2,');
    await desk.land('referrals', 'affiliate,customer_id,status\nann,c1,canceled\nann,c2,rejected\n');
    await land(desk, 's-3,ann,100,USD,2026-01-11,c1,', 's-4,,100,USD,2026-01-11,c2,');
    expect((await who(desk)).map(([, , status]) => status).sort()).toEqual(['canceled', 'rejected']);
  });
});
