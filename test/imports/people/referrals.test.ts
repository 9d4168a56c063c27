import { expect, test } from 'vitest';
import type { ReferralRow, ReferralStatus } from '../../../src/db/tables.ts';
import { newId, showId } from '../../../src/ids.ts';
import { testDatabase } from '../../support/database.ts';
import { today, World } from '../../support/world.ts';
import { beforeCommit, ended, faults, importInto, importText } from './people-fixture.ts';

const { db } = await testDatabase();
const header = 'ref,affiliate,customer_id,external_user_id,click_id,email,status,created_at';

async function referrals(world: World): Promise<ReferralRow[]> {
  return db.sql
    .selectFrom('referral')
    .selectAll()
    .where('account_id', '=', world.accountId)
    .orderBy('id')
    .execute();
}

/** A referral of `affiliate` that is there already. */
async function known(
  world: World,
  affiliate: { id: string },
  values: Partial<ReferralRow> = {},
): Promise<ReferralRow> {
  const row: ReferralRow = {
    account_id: world.accountId,
    id: newId(today),
    program_id: world.programId,
    affiliate_id: affiliate.id,
    ref: null,
    customer_id: null,
    external_user_id: null,
    click_id: null,
    email: null,
    email_folded: null,
    status: 'lead',
    created_at: new Date('2025-12-01T00:00:00Z'),
    converted_at: null,
    ...values,
  };
  await db.sql.insertInto('referral').values(row).execute();
  return row;
}

test('new referrals are recorded under the affiliate that the row names by id, ref, short code or e-mail', async () => {
  const world = await World.create(db);
  const ada = await world.affiliate({ ref: 'ada', short_code: 'ADA10', email: 'Ada@Example.com' });
  const landed = await importText(
    world,
    'referrals',
    `${header}
r-1,ADA,c-1,u-1,k-1,Kim@Example.com,customer,2026-01-15
r-2,ada10,,,,,,
r-3,ada@example.COM,,,,,,
r-4,${showId('affiliate', ada.id)},,,,,,
r-5,${ada.id},,,,,,
r-6,mailto:ada@example.com,,,,mailto:lee@example.com,,
`,
  );
  expect(ended(landed)).toEqual({ recorded: 6 });
  const rows = await referrals(world);
  expect(rows.map(({ ref, affiliate_id }) => [ref, affiliate_id])).toEqual(
    ['r-1', 'r-2', 'r-3', 'r-4', 'r-5', 'r-6'].map((ref) => [ref, ada.id]),
  );
  expect(rows[0]).toMatchObject({
    program_id: world.programId,
    customer_id: 'c-1',
    external_user_id: 'u-1',
    click_id: 'k-1',
    email: 'Kim@Example.com',
    email_folded: 'kim@example.com',
    status: 'customer',
    created_at: new Date('2026-01-14T23:00:00Z'),
    converted_at: null,
  });
  expect(rows[1]).toMatchObject({ status: 'lead', email: null, created_at: today });
  expect(rows[5]).toMatchObject({ email: 'lee@example.com' });
});

test('the same file again changes nothing, and every row is a duplicate', async () => {
  const world = await World.create(db);
  const { ref } = await world.affiliate();
  const file = `${header}\nr-1,${ref},c-1,,,,active,2026-01-15\n,${ref},,,,kim@example.com,,\n,${ref},,,k-3,,lead,\n`;
  expect(ended(await importText(world, 'referrals', file))).toEqual({ recorded: 3 });
  const before = await referrals(world);
  const landed = await importText(world, 'referrals', file);
  expect(ended(landed)).toEqual({ duplicates: 3 });
  expect([landed.changes, landed.warnings]).toEqual([[], []]);
  expect(await referrals(world)).toEqual(before);
});

test('a known referral is found by ref, customer, user or click id, else by e-mail, and what it lacks is filled in', async () => {
  const world = await World.create(db);
  const ada = await world.affiliate();
  const rows = [
    await known(world, ada, { ref: 'r-1' }),
    await known(world, ada, { customer_id: 'c-2' }),
    await known(world, ada, { external_user_id: 'u-3' }),
    await known(world, ada, { click_id: 'k-4' }),
    await known(world, ada, { email: 'Kim@Example.com', email_folded: 'kim@example.com' }),
  ];
  const landed = await importText(
    world,
    'referrals',
    `${header}
r-1,${ada.ref},c-1,,,,,
r-2,${ada.ref},c-2,,,,,
,${ada.ref},,u-3,k-3,,trialing,
,${ada.ref},,,k-4,lou@example.com,,
,${ada.ref},c-5,,,KIM@example.com,,
`,
  );
  expect(ended(landed)).toEqual({ updated: 5 });
  expect(landed.changes).toEqual([
    `referral ${showId('referral', rows[0]!.id)}: customer_id added`,
    `referral ${showId('referral', rows[1]!.id)}: ref added`,
    `referral ${showId('referral', rows[2]!.id)}: status lead -> trialing; click_id added`,
    `referral ${showId('referral', rows[3]!.id)}: e-mail added`,
    `referral ${showId('referral', rows[4]!.id)}: customer_id added`,
  ]);
  const after = new Map((await referrals(world)).map((row) => [row.id, row]));
  expect(rows.map((row) => after.get(row.id))).toEqual([
    { ...rows[0], customer_id: 'c-1' },
    { ...rows[1], ref: 'r-2' },
    { ...rows[2], click_id: 'k-3', status: 'trialing' },
    { ...rows[3], email: 'lou@example.com', email_folded: 'lou@example.com' },
    { ...rows[4], customer_id: 'c-5' },
  ]);
});

test('an e-mail address means another customer under another affiliate', async () => {
  const world = await World.create(db);
  const [ada, bob] = [await world.affiliate(), await world.affiliate()];
  await known(world, ada, { email: 'kim@example.com', email_folded: 'kim@example.com' });
  const landed = await importText(world, 'referrals', `affiliate,email\n${bob.ref},kim@example.com\n`);
  expect(ended(landed)).toEqual({ recorded: 1 });
  expect((await referrals(world)).map((row) => row.affiliate_id).sort()).toEqual([ada.id, bob.id].sort());
});

test('a status moves up and never down; canceled and rejected are set, and left, when the file says so', async () => {
  const world = await World.create(db);
  const ada = await world.affiliate();
  const moves: [was: ReferralStatus, given: string, is: ReferralStatus][] = [
    ['lead', 'trialing', 'trialing'],
    ['lead', 'active', 'active'],
    ['trialing', 'lead', 'trialing'],
    ['customer', 'trialing', 'customer'],
    ['customer', 'active', 'active'],
    ['active', 'customer', 'active'],
    ['active', '', 'active'],
    ['active', 'canceled', 'canceled'],
    ['lead', 'Rejected', 'rejected'],
    ['canceled', '', 'canceled'],
    ['canceled', 'customer', 'customer'],
    ['canceled', 'rejected', 'rejected'],
    ['rejected', 'lead', 'lead'],
  ];
  for (const [index, [was]] of moves.entries()) await known(world, ada, { ref: `r-${index}`, status: was });
  const lines = moves.map(([, given], index) => `r-${index},${ada.ref},${given}`);
  const landed = await importText(world, 'referrals', `ref,affiliate,status\n${lines.join('\n')}\n`);
  const changed = moves.filter(([was, , is]) => was !== is).length;
  expect(ended(landed)).toEqual({ updated: changed, duplicates: moves.length - changed });
  const after = new Map((await referrals(world)).map((row) => [row.ref, row.status]));
  expect(moves.map((_, index) => after.get(`r-${index}`))).toEqual(moves.map(([, , is]) => is));
});

test('what belongs to another affiliate, or to another referral, is rejected and stays as it is', async () => {
  const world = await World.create(db);
  const [ada, bob] = [await world.affiliate(), await world.affiliate()];
  await known(world, bob, { ref: 'r-1', customer_id: 'c-1' });
  await known(world, ada, { ref: 'r-2' });
  await known(world, ada, { ref: 'r-3', click_id: 'kim@example.com' });
  const before = await referrals(world);
  const landed = await importText(
    world,
    'referrals',
    `${header}
r-1,${ada.ref},,,,,,
r-2,${ada.ref},c-1,,,,,
r-2,${ada.ref},,,kim@example.com,,,
r-9,${ada.ref},c-1,,,,,
`,
  );
  expect(ended(landed)).toEqual({ rejected: 4 });
  expect(faults(landed)).toEqual([
    '2 referral-of-another ref',
    '3 identifier-taken customer_id',
    '4 identifier-taken click_id',
    '5 referral-of-another customer_id',
  ]);
  const kept =
    'no file moves a referral to another affiliate; name that affiliate in the row, or remove the row.';
  for (const named of ['ref ""r-1""', 'customer_id ""c-1""'])
    expect(landed.rejected).toContain(
      `"The referral with the ${named} belongs to affiliate ""${bob.ref}"", and ${kept}"`,
    );
  expect(landed.rejected).toContain(
    '"""c-1"" belongs to another referral already; correct it, or remove it."',
  );
  expect(landed.rejected).toContain(
    '"""k…@…"" belongs to another referral already; correct it, or remove it."',
  );
  expect(await referrals(world)).toEqual(before);
});

test('an identifier other than the one the referral has is left out, and the report says where', async () => {
  const world = await World.create(db);
  const ada = await world.affiliate();
  await known(world, ada, { ref: 'r-1', customer_id: 'c-1' });
  const landed = await importText(
    world,
    'referrals',
    `ref,affiliate,customer_id,status\nr-1,${ada.ref},c-9,active\nr-2,${ada.ref},c-2,\n`,
  );
  expect(ended(landed)).toEqual({ recorded: 1, updated: 1 });
  expect(landed.warnings).toEqual([
    '1 row gives another identifier or e-mail than its referral has (line 2); the referral’s own was kept',
  ]);
  const after = (await referrals(world)).find((row) => row.ref === 'r-1');
  expect(after).toMatchObject({ customer_id: 'c-1', status: 'active' });
});

test('of the rows that name one referral, by whatever identifier, the first counts and the later are rejected', async () => {
  const world = await World.create(db);
  const [ada, bob] = [await world.affiliate(), await world.affiliate()];
  await known(world, ada, { ref: 'r-8', click_id: 'k-8' });
  const landed = await importText(
    world,
    'referrals',
    `${header}
r-1,${ada.ref},c-1,,,kim@example.com,,
r-1,${ada.ref},,,,,,
r-2,${ada.ref},c-1,,,,,
,${ada.ref},,,,KIM@example.com,,
,${bob.ref},,,,kim@example.com,,
r-8,${ada.ref},,,,,,
,${ada.ref},,,k-8,,,
r-9,${ada.ref},,,,office@example.com,,
`,
  );
  expect(ended(landed)).toEqual({ recorded: 3, duplicates: 1, rejected: 4 });
  expect(faults(landed)).toEqual([
    '3 referral-double ref',
    '4 referral-double customer_id',
    '5 referral-double email',
    '8 referral-double ',
  ]);
  expect(landed.rejected).toContain('The row names the same referral as line 7 of this file does');
});

test('two known customers who share an e-mail address are two rows, and no doubles', async () => {
  const world = await World.create(db);
  const ada = await world.affiliate();
  await known(world, ada, { customer_id: 'c-1' });
  await known(world, ada, { customer_id: 'c-2' });
  const landed = await importText(
    world,
    'referrals',
    `affiliate,customer_id,email\n${ada.ref},c-1,office@example.com\n${ada.ref},c-2,office@example.com\n`,
  );
  expect(ended(landed)).toEqual({ updated: 2 });
});

test('each faulty row is rejected with its line and field, and the others are recorded', async () => {
  const world = await World.create(db);
  const ada = await world.affiliate();
  await world.affiliate({ email: 'shared@example.com' });
  await world.affiliate({ email: 'shared@example.com' });
  const landed = await importText(
    world,
    'referrals',
    `${header}
r-1,,,,,,,
r-2,nobody,,,,,,
r-3,shared@example.com,,,,,,
,${ada.ref},,,,,lead,
r-5,${ada.ref},,,,kim at example,,
r-6,${ada.ref},,,,,won,
r-7,${ada.ref},,,,,,15.01.2026
r-8,${ada.ref},,,,,,2026-03-29T02:30:00
r-9,${ada.ref},1.2E+11,,,,,
r-10,${ada.ref},,,,,,
`,
  );
  expect(ended(landed)).toEqual({ recorded: 1, rejected: 9 });
  expect(faults(landed)).toEqual([
    '2 required affiliate',
    '3 affiliate-unknown affiliate',
    '4 affiliate-ambiguous affiliate',
    '5 identifier-missing ref',
    '6 email-format email',
    '7 choice status',
    '8 date-iso created_at',
    '9 date-gap created_at',
    '10 id-destroyed customer_id',
  ]);
  const messages = landed.rejected!.split('\r\n').map((line) => line.split(',').slice(12).join());
  expect(messages[3]).toContain('s…@…');
  expect(messages[4]).toContain('give one of ref, customer_id, external_user_id, click_id, email');
  expect(messages.join('\n')).not.toMatch(/shared@|kim at/);
});

test('a date without an offset is local to the zone; a time that comes twice is taken as the earlier, with a warning', async () => {
  const world = await World.create(db);
  const { ref } = await world.affiliate();
  const times = ['2026-01-15', '2025-11-02T01:30:00', '2026-01-15T12:00:00+09:00', '2026-01-15 08:00'];
  const lines = times.map((time, index) => `r-${index},${ref},${time}`);
  const landed = await importText(world, 'referrals', `ref,affiliate,created_at\n${lines.join('\n')}\n`, {
    timezone: 'America/New_York',
  });
  expect((await referrals(world)).map((row) => row.created_at.toISOString())).toEqual([
    '2026-01-15T05:00:00.000Z',
    '2025-11-02T05:30:00.000Z',
    '2026-01-15T03:00:00.000Z',
    '2026-01-15T13:00:00.000Z',
  ]);
  expect(landed.warnings).toEqual(['1 time comes twice that night; the earlier was taken (line 3)']);
});

test('a file without rows or without the column affiliate is refused', async () => {
  const world = await World.create(db);
  for (const text of [`${header}\n`, 'ref,status\nr-1,lead\n']) {
    await expect(importText(world, 'referrals', text)).rejects.toMatchObject({ code: 'file-refused' });
  }
});

test('referrals of another account are neither found nor taken', async () => {
  const [world, other] = [await World.create(db), await World.create(db)];
  const [ada, stranger] = [await world.affiliate({ ref: 'ada' }), await other.affiliate({ ref: 'ada' })];
  const before = await known(other, stranger, { ref: 'r-1', customer_id: 'c-1' });
  const landed = await importText(world, 'referrals', `${header}\nr-1,ada,c-1,,,,active,\n`);
  expect(ended(landed)).toEqual({ recorded: 1 });
  expect(await referrals(other)).toEqual([before]);
  expect(await referrals(world)).toMatchObject([{ affiliate_id: ada.id, status: 'active' }]);
});

test('a referral that another import commits meanwhile is updated, not recorded twice, and its identifiers stay its own', async () => {
  const world = await World.create(db);
  const { ref } = await world.affiliate();
  const landed = await beforeCommit(
    db,
    (session) => importInto(session, world, 'referrals', `ref,affiliate,customer_id\nr-2,${ref},c-2\n`),
    () =>
      importText(
        world,
        'referrals',
        `ref,affiliate,customer_id,status\nr-1,${ref},c-1,\nr-2,${ref},,active\nr-3,nobody,,\n`,
      ),
  );
  expect(ended(landed)).toEqual({ recorded: 1, updated: 1, rejected: 1 });
  const rows = await referrals(world);
  expect(rows.map((row) => [row.ref, row.customer_id, row.status]).sort()).toEqual([
    ['r-1', 'c-1', 'lead'],
    ['r-2', 'c-2', 'active'],
  ]);
});

test('a file longer than a batch lands whole', async () => {
  const world = await World.create(db);
  const { ref } = await world.affiliate();
  const file = (status: string) =>
    `ref,affiliate,customer_id,email,status\n${Array.from(
      { length: 25_000 },
      (_, index) => `r-${index},${ref},c-${index},kim-${index}@example.com,${status}`,
    ).join('\n')}\n`;
  expect(ended(await importText(world, 'referrals', file('lead')))).toEqual({ recorded: 25_000 });
  const again = await importText(world, 'referrals', file('customer'));
  expect(ended(again)).toEqual({ updated: 25_000 });
  expect(again.changes).toHaveLength(50);
});

test('cells that say in words that nothing is there are empty, and a message shows the word', async () => {
  const world = await World.create(db);
  await world.affiliate({ ref: 'ada' });
  const landed = await importText(
    world,
    'referrals',
    `${header}\nr-1,ada,NULL,\\N,none,-,nil,#N/A\nr-2,ada,NULL,\\N,none,-,nil,#N/A\nr-3,None,c-3,,,,,\n`,
  );
  expect(ended(landed)).toEqual({ recorded: 2, rejected: 1 });
  const [first] = await referrals(world);
  expect(first).toMatchObject({ customer_id: null, external_user_id: null, click_id: null, email: null });
  expect(landed.rejected).toContain('has only ""None"", which counts as empty');
});

test('a date more than a year after the import is a wrong year', async () => {
  const world = await World.create(db);
  await world.affiliate({ ref: 'ada' });
  const text = `${header}\nr-1,ada,,,,,,2062-01-10\nr-2,ada,,,,,,2026-06-10\n`;
  const landed = await importText(world, 'referrals', text);
  expect(ended(landed)).toEqual({ recorded: 1, rejected: 1 });
  expect(faults(landed)).toEqual(['2 date-future created_at']);
});
