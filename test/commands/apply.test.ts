import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { Db } from '../../src/db/connect.ts';
import { newId } from '../../src/ids.ts';
import { testDatabase } from '../support/database.ts';
import { ended, type Place, payrun, payrunJson, start } from './payrun.ts';
import { openShop } from './shop.ts';
import { configOf, workspace, writeConfig } from './workspace.ts';

interface Applied {
  dry_run: boolean;
  changes: {
    kind: string;
    noun: string;
    name: string;
    fields: { field: string; was: string | null; becomes: string }[];
  }[];
  unnamed_accounts: string[];
}

let db: Db;
let url: string;

beforeAll(async () => {
  ({ db, url } = await testDatabase());
});

const apply = async (place: Place, ...flags: string[]) =>
  (await payrunJson(['apply', ...flags], place)) as Applied;
const names = ({ changes }: Applied) => changes.map(({ kind, noun, name }) => `${kind} ${noun} ${name}`);

async function programOf(ref: string) {
  return db.sql
    .selectFrom('program')
    .innerJoin('account', 'account.account_id', 'program.account_id')
    .selectAll('program')
    .where('account.ref', '=', ref)
    .where('program.ref', '=', 'main')
    .executeTakeFirst();
}

test('a new payrun.json is applied whole, and applying it again changes nothing', async () => {
  const config = configOf('new', { incentives: [{ ref: 'pro', fixed: '5.00', hold_days: 45 }] });
  const place = { cwd: await workspace(config), url };
  const first = await apply(place);
  expect(names(first)).toEqual([
    'added account new',
    'added program new/main',
    'added incentive new/main/pro',
    'added source new/offline',
  ]);
  expect(await programOf('new')).toMatchObject({
    currency: 'USD',
    rate_ppm: 200_000,
    fixed_amount: null,
    minimum_payout: 5000n,
    payout_approval: 'manual',
    retired: false,
  });
  const again = await payrun(['apply'], place);
  expect(again).toMatchObject({ code: 0, stderr: '' });
  expect(again.stdout).toContain('There is nothing to change');
});

test('the difference is shown field by field, as old -> new', async () => {
  const place = { cwd: await workspace(configOf('changing')), url };
  await apply(place);
  await writeConfig(
    place.cwd,
    configOf('changing', { commission: { fixed: '7.50' }, minimum_payout: '10', hold_days: 14 }),
  );
  const { stdout } = await payrun(['apply'], place);
  expect(stdout).toContain('~ changed programme changing/main');
  expect(stdout).toMatch(/hold_days +30 -> 14/);
  expect(stdout).toMatch(/commission +20 % -> 7\.50 USD/);
  expect(stdout).toMatch(/minimum_payout +50\.00 USD -> 10\.00 USD/);
  expect(await programOf('changing')).toMatchObject({ hold_days: 14, fixed_amount: 750n, rate_ppm: null });
});

test('--dry-run shows the difference and changes nothing', async () => {
  const place = { cwd: await workspace(configOf('dry')), url };
  const plan = await apply(place, '--dry-run');
  expect(plan.dry_run).toBe(true);
  expect(names(plan)).toContain('added account dry');
  expect(await programOf('dry')).toBeUndefined();
});

test('what payrun.json no longer names is retired, not deleted, and comes back under its id', async () => {
  const config = configOf('coming', { incentives: [{ ref: 'pro', percent: '30' }] });
  const place = { cwd: await workspace(config), url };
  await apply(place);
  const second = { ...config.accounts[0]!.programs[0], ref: 'second', incentives: [] };
  const reduced = { ...config, accounts: [{ ...config.accounts[0]!, programs: [second], sources: [] }] };
  const before = await programOf('coming');

  await writeConfig(place.cwd, reduced);
  expect(names(await apply(place))).toEqual([
    'added program coming/second',
    'retired program coming/main',
    'retired incentive coming/main/pro',
    'retired source coming/offline',
  ]);
  expect(await programOf('coming')).toEqual({ ...before, retired: true });
  expect(names(await apply(place))).toEqual([]);

  await writeConfig(place.cwd, config);
  expect(names(await apply(place))).toEqual([
    'restored program coming/main',
    'retired program coming/second',
    'restored incentive coming/main/pro',
    'restored source coming/offline',
  ]);
  expect(await programOf('coming')).toEqual(before);
});

test('retiring a programme says what is still owed there, and it is paid all the same', async () => {
  const shop = await openShop(url, { payout_approval: 'automatic' });
  await payrunJson(['release', '--as-of', '2026-03-02'], shop);
  const config = configOf(shop.account);
  const second = { ...config.accounts[0]!.programs[0], ref: 'second' };
  await writeConfig(shop.cwd, {
    ...config,
    accounts: [{ ...config.accounts[0]!, programs: [second], sources: [] }],
  });
  const { stdout } = await payrun(['apply'], shop);
  expect(stdout).toContain(`- retired programme ${shop.account}/main`);
  expect(stdout).toMatch(/owed +572\.00 USD, which is released and paid as before/);
  const prepared = await payrunJson(['payouts', 'prepare', '--by', 'ada', '--as-of', '2026-03-02'], shop);
  expect(prepared).toMatchObject({ counts: { programs: 2, payouts: 1, left_out: 2 } });
  await payrunJson(['payouts', 'export'], shop);
  expect((await payrunJson(['payouts', 'list'], shop)) as unknown[]).toMatchObject([
    { program: 'main', status: 'exported', amount: '300.00' },
  ]);
});

test("a programme's currency changes only until it has sales, and a payrun.json that says otherwise stops no run", async () => {
  const place = { cwd: await workspace(configOf('money')), url };
  await apply(place);
  await writeConfig(place.cwd, configOf('money', { currency: 'JPY', minimum_payout: '5000' }));
  expect(names(await apply(place))).toEqual(['changed program money/main']);
  const program = (await programOf('money'))!;
  expect(program).toMatchObject({ currency: 'JPY', minimum_payout: 5000n });
  await addConversion(program);

  await writeConfig(place.cwd, configOf('money', { hold_days: 1 }));
  for (const command of ['apply', 'check']) {
    const refused = await payrun([command], place);
    expect(refused.code).toBe(1);
    expect(refused.stdout + refused.stderr).toContain('JPY -> USD');
  }
  const { code, stderr } = await payrun(['run', 'release-holds'], place);
  expect(code).toBe(0);
  expect(stderr).toMatch(/warn +payrun\.json can't be compared with the database: .*currency/);
  expect(await programOf('money')).toEqual(program);
});

test('accounts that payrun.json does not name stay as they are, and are told', async () => {
  await apply({ cwd: await workspace(configOf('elsewhere')), url });
  const { unnamed_accounts } = await apply({ cwd: await workspace(configOf('here')), url });
  expect(unnamed_accounts).toContain('elsewhere');
  expect(await programOf('elsewhere')).toMatchObject({ retired: false });
});

test('two applies at the same moment end as one', async () => {
  const place = { cwd: await workspace(configOf('twice')), url };
  const both = await db.transaction(async ({ client }) => {
    await client.query('lock table account in share row exclusive mode');
    const running = [apply(place), apply(place)];
    await waitFor(async () => (await waitingForLocks()) === 2);
    return running;
  });
  const counts = (await Promise.all(both)).map((one) => one.changes.length);
  expect(counts.sort()).toEqual([0, 3]);
});

test('what was changed in payrun.json and not applied is said by whatever runs, which goes on all the same', async () => {
  const config = configOf('unapplied');
  config.jobs = { nightly: { cron: '0 2 1 1 *', timezone: 'UTC' } };
  const place = { cwd: await workspace(config), url };
  const commands = [
    ['import', 'sales', 'sales.csv', '--again'],
    ['run', 'release-holds'],
    ['run', 'nightly', '--dry-run'],
  ];
  await writeFile(
    path.join(place.cwd, 'sales.csv'),
    'external_id,affiliate,amount,currency,occurred_at\nU-1,nobody,1.00,USD,2026-01-10\n',
  );
  await apply(place);
  for (const command of commands) expect((await payrun(command, place)).stderr).not.toContain('payrun.json');
  config.accounts[0]!.programs[0]!.commission = { percent: '25' };
  config.accounts[0]!.sources[0]!.decimal = ',';
  await writeConfig(place.cwd, config);
  const warning = 'payrun.json differs from the database in 2 changes; "payrun apply" makes it count';
  for (const command of commands) {
    const { code, stderr } = await payrun(command, place);
    expect(code).not.toBe(1);
    expect(stderr.split('\n').filter((line) => line.includes(warning))).toEqual([
      expect.stringMatching(/^\S+ warn /),
    ]);
  }
  const child = start(['start'], place);
  child.stderr!.on('data', (text) => String(text).includes('job scheduled') && child.kill('SIGTERM'));
  const started = await ended(child);
  expect(started.code).toBe(0);
  expect(started.stderr).toContain(warning);
});

async function waitingForLocks(): Promise<number> {
  const sessions = await db.session(({ client }) =>
    client.query(
      "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    ),
  );
  return sessions.rows.length;
}

async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((next) => setImmediate(next));
}

async function addConversion(program: { account_id: number; id: string }): Promise<void> {
  await db.sql
    .insertInto('conversion')
    .values({
      account_id: program.account_id,
      id: newId(new Date()),
      program_id: program.id,
      external_id: 'INV-1',
      affiliate_id: newId(new Date()),
      amount: 100n,
      occurred_at: new Date('2026-01-01T00:00:00Z'),
      fingerprint: Buffer.alloc(16),
      import_id: newId(new Date()),
      line: 2,
      occurred_at_given: true,
      currency: 'JPY',
      sales_status: 'complete',
    } as never)
    .execute();
}

test('the earlier sales of a referral are indexed once an incentive ends with a duration, and not before', async () => {
  const { db: own, url: itsUrl } = await testDatabase();
  const isIndexed = async () => {
    const found = await own.session(({ client }) =>
      client.query("select to_regclass('conversion_referral') is not null as found"),
    );
    return found.rows[0].found as boolean;
  };
  const place = { cwd: await workspace(configOf('brief')), url: itsUrl };
  await apply(place);
  expect(await isIndexed()).toBe(false);
  const limited = { incentives: [{ ref: 'pro', percent: '30', duration: { months: 12 } }] };
  await writeConfig(place.cwd, configOf('brief', limited));
  await apply(place, '--dry-run');
  expect(await isIndexed()).toBe(false);
  await apply(place);
  expect(await isIndexed()).toBe(true);
  const more = {
    incentives: [...limited.incentives, { ref: 'max', percent: '40', duration: { payments: 3 } }],
  };
  await writeConfig(place.cwd, configOf('brief', more));
  await apply(place);
  expect(await isIndexed()).toBe(true);
});
