import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { assertBalanced } from '../../../src/ledger/audit.ts';
import { testDatabase } from '../../support/database.ts';
import { today, World } from '../../support/world.ts';
import { beforeCommit, ended, faults, importInto, importText } from './people-fixture.ts';

const { db } = await testDatabase();
const header = 'ref,name,email,short_code,status,commission_override,payout_method,payout_destination';

async function affiliates(world: World) {
  const rows = await db.sql
    .selectFrom('affiliate')
    .selectAll()
    .where('account_id', '=', world.accountId)
    .orderBy(sql`ref collate "C"`)
    .execute();
  return rows;
}

/** The names that lead to an affiliate, folded and exact, without its id. */
async function names(world: World, ref: string): Promise<string[]> {
  const rows = await db.sql
    .selectFrom('affiliate_key')
    .innerJoin('affiliate', (join) =>
      join
        .onRef('affiliate.account_id', '=', 'affiliate_key.account_id')
        .onRef('affiliate.id', '=', 'affiliate_key.affiliate_id'),
    )
    .select(['folded', 'exact', 'affiliate.id'])
    .where('affiliate_key.account_id', '=', world.accountId)
    .where('ref', '=', ref)
    .execute();
  expect(rows.filter((row) => row.exact === row.id && row.folded === row.id)).toHaveLength(1);
  return rows
    .filter((row) => row.exact !== row.id)
    .map((row) => `${row.folded}|${row.exact}`)
    .sort();
}

test('new affiliates are recorded with all their fields, and active unless the file says otherwise', async () => {
  const world = await World.create(db);
  const landed = await importText(
    world,
    'affiliates',
    `${header}
p-1,Ada Lovelace,Ada@Example.com,ADA,pending,12.5,sepa,DE89 3704 0044 0532 0130 00
p-2, Bob ,,,,,,
p-3,Käthe,,,Paused,20%,ach,021000021:12345
`,
  );
  expect(ended(landed)).toEqual({ recorded: 3 });
  expect(landed).toMatchObject({ rows: 3, changes: [], warnings: [], rejects: undefined });
  const rows = await affiliates(world);
  expect(rows).toMatchObject([
    {
      ref: 'p-1',
      name: 'Ada Lovelace',
      email: 'Ada@Example.com',
      short_code: 'ADA',
      status: 'pending',
      override_ppm: 125_000,
      payout_method: 'sepa',
      payout_destination: 'DE89370400440532013000',
      created_at: today,
      updated_at: today,
    },
    {
      ref: 'p-2',
      name: 'Bob',
      email: null,
      short_code: null,
      status: 'active',
      override_ppm: null,
      payout_method: null,
      payout_destination: null,
    },
    { ref: 'p-3', status: 'paused', override_ppm: 200_000, payout_destination: '021000021:12345' },
  ]);
  expect(rows[0]!.id.slice(0, 8)).toBe(today.getTime().toString(16).padStart(12, '0').slice(0, 8));
  expect(await names(world, 'p-1')).toEqual(['ada@example.com|Ada@Example.com', 'ada|ADA', 'p-1|p-1']);
  expect(await names(world, 'p-2')).toEqual(['p-2|p-2']);
});

test('the same file again changes nothing, and every row is a duplicate', async () => {
  const world = await World.create(db);
  const file = `${header}\np-1,Ada,ada@example.com,ADA,paused,10,wise,148563324\np-2,Bob,,,,,,\n`;
  await importText(world, 'affiliates', file);
  const before = await affiliates(world);
  const landed = await importText(world, 'affiliates', file);
  expect(ended(landed)).toEqual({ duplicates: 2 });
  expect(landed.changes).toEqual([]);
  expect(await affiliates(world)).toEqual(before);
});

test('rows that differ update their affiliate, and the changes are told without e-mail address and destination', async () => {
  const world = await World.create(db);
  await importText(
    world,
    'affiliates',
    `${header}\np-1,Ada,ada@example.com,ADA,active,10,paypal,ada@example.com\np-2,Bob,,,,,,\np-3,Cid,,,,,,\n`,
  );
  const landed = await importText(
    world,
    'affiliates',
    `${header}\np-1,Ada King,king@example.com,KING,paused,12.5,paypal,king@example.com\np-2,Bob,,,,,,\np-3,Cid,,,,5,manual,cash\n`,
  );
  expect(ended(landed)).toEqual({ updated: 2, duplicates: 1 });
  expect(landed.changes).toEqual([
    'affiliate p-1: name Ada -> Ada King; short code ADA -> KING; status active -> paused; commission override 10 % -> 12.5 %; e-mail changed; payout destination changed',
    'affiliate p-3: commission override none -> 5 %; payout method none -> manual; payout destination changed',
  ]);
  expect(JSON.stringify([landed.changes, landed.warnings])).not.toMatch(/@|cash/);
  expect(await affiliates(world)).toMatchObject([
    {
      name: 'Ada King',
      email: 'king@example.com',
      short_code: 'KING',
      status: 'paused',
      override_ppm: 125_000,
      payout_destination: 'king@example.com',
    },
    { name: 'Bob' },
    { override_ppm: 50_000, payout_method: 'manual', payout_destination: 'cash' },
  ]);
  expect(await names(world, 'p-1')).toEqual(['king@example.com|king@example.com', 'king|KING', 'p-1|p-1']);
});

test('a column that the file has not leaves its field alone; an empty cell clears it, but for name and status', async () => {
  const world = await World.create(db);
  await importText(
    world,
    'affiliates',
    `${header}\np-1,Ada,ada@example.com,ADA,paused,10,paypal,ada@example.com\n`,
  );
  const [before] = await affiliates(world);
  expect(ended(await importText(world, 'affiliates', 'name,ref\nAda,p-1\n'))).toEqual({ duplicates: 1 });
  expect(await affiliates(world)).toEqual([before]);
  expect(ended(await importText(world, 'affiliates', `${header}\np-1,,,,,,,\n`))).toEqual({ updated: 1 });
  expect(await affiliates(world)).toMatchObject([
    {
      name: 'Ada',
      email: null,
      short_code: null,
      status: 'paused',
      override_ppm: null,
      payout_method: null,
      payout_destination: null,
    },
  ]);
  expect(await names(world, 'p-1')).toEqual(['p-1|p-1']);
});

test('names that move between fields, or differ in case alone, lead to their affiliate afterwards as before', async () => {
  const world = await World.create(db);
  await importText(world, 'affiliates', `${header}\np-1,Ada,ada@example.com,p-1,,,,\n`);
  expect(await names(world, 'p-1')).toEqual(['ada@example.com|ada@example.com', 'p-1|p-1']);
  await importText(world, 'affiliates', `${header}\np-1,Ada,ADA@example.com,ada@example.com,,,,\n`);
  expect(await names(world, 'p-1')).toEqual([
    'ada@example.com|ADA@example.com',
    'ada@example.com|ada@example.com',
    'p-1|p-1',
  ]);
});

test('of two rows with the same ref the first counts and the later one is rejected', async () => {
  const world = await World.create(db);
  const landed = await importText(
    world,
    'affiliates',
    `${header}\np-1,Ada,not an address,,,,,\np-1,Ada,,,,,,\nP-1,Ada,,,,,,\np-1,Bob,,,,,,\n`,
  );
  expect(ended(landed)).toEqual({ recorded: 2, rejected: 2 });
  expect(faults(landed)).toEqual(['2 email-format email', '5 ref-double ref']);
  expect((await affiliates(world)).map(({ ref, name }) => [ref, name])).toEqual([
    ['P-1', 'Ada'],
    ['p-1', 'Ada'],
  ]);
});

test('each faulty row is rejected with its line and field, and the others are recorded', async () => {
  const world = await World.create(db);
  const landed = await importText(
    world,
    'affiliates',
    `${header}
,Ada,,,,,,
p-2,,,,,,,
p-3,Ada,,,retired,,,
p-4,Ada,,,,120,,
p-5,Ada,,,,,cheque,Ada
p-6,Ada,,,,,paypal,
p-7,Ada,,,,,,ada@example.com
p-8,Ada,,,,,sepa,DE00370400440532013000
p-9,Ada,,,,,,,extra
1.2E+11,Ada,,,,,,
p-10,${'A'.repeat(256)},,,,,,
p-11,Ada,,,,,,
`,
  );
  expect(ended(landed)).toEqual({ recorded: 1, rejected: 11 });
  expect(faults(landed).filter((line) => /^\d/.test(line))).toEqual([
    '2 required ref',
    '3 required name',
    '4 choice status',
    '5 percent-format commission_override',
    '6 choice payout_method',
    '7 destination payout_destination',
    '8 destination payout_method',
    '9 destination payout_destination',
    '11 id-destroyed ref',
    '12 too-long name',
  ]);
  expect(landed.rejected).toMatch(/p-9,Ada,,,,,,,extra,imp_\w{26},10,ragged,,/);
  expect((await affiliates(world)).map(({ ref }) => ref)).toEqual(['p-11']);
});

test('no e-mail address or payout destination is among what was found, and the rejects file keeps the cells', async () => {
  const world = await World.create(db);
  const text = `${header}\nada@example.com,Ada,,,,,,\nada@example.com,Ada,,,,,,\np-2,Ada,ada@,,,,,\np-3,Ada,,,,,wise,DE00370400440532013000\n`;
  const landed = await importText(world, 'affiliates', text);
  const messages = landed.rejected!.split('\r\n').map((line) => line.split(',').slice(12).join());
  expect(faults(landed)).toEqual([
    '3 ref-double ref',
    '4 email-format email',
    '5 destination payout_destination',
  ]);
  expect(messages.join('\n')).toMatch(/a…@….*wise/s);
  expect(messages.join('\n')).not.toMatch(/ada@|DE00/);
  expect(landed.rejected).toMatch(/DE00370400440532013000,imp_\w{26},5,destination/);
  await importText(world, 'affiliates', 'ref,name\nada@example.com,Bob\n').then(({ changes }) => {
    expect(changes).toEqual([expect.stringMatching(/^affiliate aff_[0-9a-z]{26}: name Ada -> Bob$/)]);
  });
});

test('the rejects file, corrected, can be imported as it is', async () => {
  const world = await World.create(db);
  const landed = await importText(world, 'affiliates', `${header}\np-1,Ada,,,retired,,,\n`);
  const again = await importText(world, 'affiliates', landed.rejected!.replace('retired', 'paused'));
  expect(ended(again)).toEqual({ recorded: 1 });
  expect(again.warnings).toEqual([]);
});

test('a file without rows, without a column it needs, or with half of the payout columns is refused', async () => {
  const world = await World.create(db);
  const refused = async (text: string) => {
    const error = await importText(world, 'affiliates', text).catch((cause) => cause);
    return [error.code, error.message];
  };
  expect(await refused(`${header}\n`)).toEqual(['file-refused', 'The file has a header but no rows.']);
  expect(await refused('ref,nam\np-1,Ada\n')).toEqual([
    'file-refused',
    'The file has no column "name". Did you mean "nam"?',
  ]);
  expect(await refused('ref,name,payout_destination\np-1,Ada,x\n')).toEqual([
    'file-refused',
    'The file has no column "payout_method".',
  ]);
  expect(await affiliates(world)).toEqual([]);
});

test('blank lines are ignored, and counted as such; the faulty row keeps its own line', async () => {
  const world = await World.create(db);
  const landed = await importText(world, 'affiliates', '\nref;name\n\np-1;Ada\n\n;Bob\n');
  expect(ended(landed)).toEqual({ recorded: 1, rejected: 1, ignored: 2 });
  expect(landed.rejected).toMatch(/;Bob;imp_\w{26};6;required;ref;/);
});

test('a column that is not read is mentioned', async () => {
  const world = await World.create(db);
  const landed = await importText(world, 'affiliates', 'ref,name,e-mail\np-1,Ada,ada@example.com\n');
  expect(landed.warnings).toEqual([expect.stringMatching(/^"e-mail": not read/)]);
});

test('who is banned by the file loses what is pending, and the books stay balanced', async () => {
  const world = await World.create(db);
  const [ada, bob] = [await world.affiliate(), await world.affiliate()];
  const pending = await world.sale(ada.id);
  const awaiting = await world.sale(ada.id, { status: 'pending_manual_approval' });
  const ready = await world.sale(ada.id, { status: 'ready_for_payment' });
  const untouched = await world.sale(bob.id);
  const landed = await importText(world, 'affiliates', `ref,name,status\n${ada.ref},,banned\n${bob.ref},,\n`);
  expect(ended(landed)).toEqual({ updated: 1, duplicates: 1 });
  expect(landed.changes).toEqual([`affiliate ${ada.ref}: status active -> banned`]);
  expect(landed.warnings).toEqual(['2 commissions of banned affiliates were declined']);
  const rows = await db.sql
    .selectFrom('commission')
    .select(['id', 'status'])
    .where('account_id', '=', world.accountId)
    .execute();
  expect(Object.fromEntries(rows.map((row) => [row.id, row.status]))).toEqual({
    [pending]: 'declined',
    [awaiting]: 'declined',
    [ready]: 'ready_for_payment',
    [untouched]: 'pending',
  });
  await db.session((session) => assertBalanced(session, world.accountId));
});

test('affiliates of another account are neither found nor changed', async () => {
  const [world, other] = [await World.create(db), await World.create(db)];
  await importText(other, 'affiliates', `${header}\np-1,Other,,,,,,\n`);
  const before = await affiliates(other);
  expect(ended(await importText(world, 'affiliates', `${header}\np-1,Ada,,,,,,\n`))).toEqual({ recorded: 1 });
  expect(await affiliates(other)).toEqual(before);
});

test('a dry run counts the same and leaves nothing behind', async () => {
  const world = await World.create(db);
  const file = `${header}\np-1,Ada,,,,,,\n`;
  expect(ended(await importText(world, 'affiliates', file, { transaction: { rollback: true } }))).toEqual({
    recorded: 1,
  });
  expect(await affiliates(world)).toEqual([]);
});

test('an affiliate that another import commits meanwhile is updated, not recorded twice', async () => {
  const world = await World.create(db);
  const landed = await beforeCommit(
    db,
    (session) => importInto(session, world, 'affiliates', `${header}\np-2,Bob,,,,,,\n`),
    () => importText(world, 'affiliates', `${header}\np-1,Ada,,,,,,\np-2,Bob,,BOB,,,,\n`),
  );
  expect(ended(landed)).toEqual({ recorded: 1, updated: 1 });
  expect((await affiliates(world)).map(({ ref, short_code }) => [ref, short_code])).toEqual([
    ['p-1', null],
    ['p-2', 'BOB'],
  ]);
  expect(await names(world, 'p-2')).toEqual(['bob|BOB', 'p-2|p-2']);
});

test('a file longer than a batch lands whole, and tells at most fifty changes', async () => {
  const world = await World.create(db);
  const rows = (name: string) =>
    Array.from({ length: 25_000 }, (_, index) => `p-${index},${name} ${index},,C${index},,,,`).join('\n');
  expect(ended(await importText(world, 'affiliates', `${header}\n${rows('A')}\n`))).toEqual({
    recorded: 25_000,
  });
  const again = await importText(world, 'affiliates', `${header}\n${rows('B')}\n`);
  expect(ended(again)).toEqual({ updated: 25_000 });
  expect(again.changes).toHaveLength(50);
  expect(again.changes[0]).toBe('affiliate p-0: name A 0 -> B 0');
});
