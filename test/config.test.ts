import { chown, mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkConfig, loadConfig } from '../src/config.ts';
import { PayrunError } from '../src/errors.ts';
import { emptyFolder } from './support/folder.ts';
import { holds } from './support/property.ts';

/** The example of the documentation, a value a line, so that a fault's line can be told. */
const sample = `{
  // A comment is welcome.
  "accounts": [{
    "ref": "acme",
    "name": "Acme Inc.",
    "programs": [{
      "ref": "main",
      "name": "Acme Partners",
      "currency": "USD",
      "timezone": "Europe/Berlin",
      "hold_days": 30,
      "commission": { "percent": "20" },
      "minimum_payout": "50.00",
      "payout_schedule": { "every": "month", "net_days": 0 },
      "incentives": [{
        "ref": "pro-yearly",
        "percent": "30",
        "product_ids": ["prod_pro"],
        "interval": "yearly",
        "subscription_only": true,
        "duration": { "months": 12 },
        "priority": 10
      }]
    }],
    "sources": [
      { "ref": "offline", "kind": "sales_csv", "program": "main",
        "mapping": { "external_id": "Invoice No", "amount": "#3" } },
      { "ref": "events", "kind": "affonso_events", "program": "main" },
    ],
  }],
  "jobs": {
    "nightly": { "cron": "0 2 * * *", "timezone": "Europe/Berlin" },
  },
}`;

function faultsOf(text: string): string[] {
  const read = checkConfig(text);
  return 'faults' in read ? read.faults.map((fault) => `${fault.line} ${fault.path}: ${fault.message}`) : [];
}

/** The sample with pieces of its text replaced, each of which must be there. */
function changed(...changes: [from: string, to: string][]): string {
  return changes.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`the sample has no ${from}`);
    return text.replace(from, to);
  }, sample);
}

describe('a payrun.json without faults', () => {
  test('is read with its comments, its trailing commas and what it leaves open', () => {
    const read = checkConfig(sample);
    if ('faults' in read) throw new Error(faultsOf(sample).join('\n'));
    const [account] = read.config.accounts;
    expect(account?.programs[0]).toMatchObject({
      rounding: 'half_up',
      commission_approval: 'automatic',
      payout_approval: 'manual',
      commission: { percent: 200_000 },
      incentives: [{ percent: 300_000, priority: 10, duration: { months: 12 } }],
    });
    expect(account?.sources[1]).toMatchObject({ id_prefix: '', allow_empty: false });
    expect(read.config.jobs.nightly).toMatchObject({ missed: 'latest' });
  });
});

describe('faults', () => {
  test('are all told at once, each with its path and its line, also those that take several fields to see', () => {
    const text = changed(
      ['"name": "Acme Inc."', '"nam": "Acme Inc."'],
      ['"currency": "USD"', '"currency": "JPY"'],
      ['Europe/Berlin', 'Europe/Berln'],
      ['"hold_days": 30', '"hold_days": "30"'],
      ['"commission": { "percent": "20" }', '"commission": { "percent": "20", "fixed": "1" }'],
      ['"50.00"', '"50.50"'],
      ['"every": "month"', '"every": "day"'],
      ['"percent": "30"', '"percent": "130"'],
      ['{ "months": 12 }', '{ "months": 12, "payments": 3 }'],
      ['"priority": 10', '"prority": 10'],
      ['"amount": "#3"', '"amuont": "#3"'],
      ['"ref": "events"', '"ref": "offline"'],
      ['"affonso_events", "program": "main"', '"affonso_events", "program": "mian"'],
      ['0 2 * * *', '0 2 * *'],
    );
    expect(faultsOf(text)).toEqual([
      '3 accounts[0].name: is missing',
      '5 accounts[0].nam: is not known; did you mean "name"?',
      '10 accounts[0].programs[0].timezone: is no IANA time zone such as "Europe/Berlin"',
      '11 accounts[0].programs[0].hold_days: must be a whole number of days',
      '12 accounts[0].programs[0].commission: needs either "percent" or "fixed"',
      '13 accounts[0].programs[0].minimum_payout: is no amount in JPY, or has too many decimals',
      '14 accounts[0].programs[0].payout_schedule.every: must be one of week, half_month, month',
      '17 accounts[0].programs[0].incentives[0].percent: must be a percentage from 0 to 100 with at most four decimals, such as "20" or "12.5"',
      '21 accounts[0].programs[0].incentives[0].duration: needs either "months" or "payments"',
      '22 accounts[0].programs[0].incentives[0].prority: is not known; did you mean "priority"?',
      '27 accounts[0].sources[0].mapping.amuont: is not known; did you mean "amount"?',
      '28 accounts[0].sources[1].ref: "offline" stands here twice',
      '28 accounts[0].sources[1].program: names no programme of this account (main)',
      '32 jobs.nightly.cron: is no cron expression such as "0 2 * * *"',
    ]);
  });

  test.each([
    [
      '"minimum_payout": "50.00"',
      '"minimum_payout": "50.005"',
      '13 accounts[0].programs[0].minimum_payout: is no amount in USD, or has too many decimals',
    ],
    [
      '"percent": "30"',
      '"fixed": "5.001"',
      '17 accounts[0].programs[0].incentives[0].fixed: is no amount in USD, or has too many decimals',
    ],
    [
      '"commission": { "percent": "20" }',
      '"commission": { "percent": 20 }',
      '12 accounts[0].programs[0].commission.percent: must be text such as "20" or "12.5"',
    ],
    [
      '"currency": "USD"',
      '"currency": "usd"',
      '9 accounts[0].programs[0].currency: is no ISO 4217 currency code such as "USD"',
    ],
    [
      '"ref": "acme"',
      '"ref": "-acme"',
      '4 accounts[0].ref: must be 1 to 64 letters, digits, ".", "_" or "-", and start with a letter or digit',
    ],
    [
      '["prod_pro"]',
      '[]',
      '18 accounts[0].programs[0].incentives[0].product_ids: must name at least one, or be left out',
    ],
    ['"hold_days": 30', '"hold_days": -1', '11 accounts[0].programs[0].hold_days: must be 0 days or more'],
    [
      '"subscription_only": true',
      '"subscription_only": "yes"',
      '20 accounts[0].programs[0].incentives[0].subscription_only: must be true or false',
    ],
    [
      '"mapping": {',
      '"defaults": { "currency": "DOLAR" }, "mapping": {',
      '27 accounts[0].sources[0].defaults.currency: is no ISO 4217 currency code such as "USD"',
    ],
    [
      '"mapping": {',
      '"defaults": { "currency": "eur", "curency": "EUR" }, "mapping": {',
      '27 accounts[0].sources[0].defaults.curency: is not known; did you mean "currency"?',
    ],
    [
      '"incentives": [{',
      '"jobs": 1, "incentives": [{',
      '15 accounts[0].programs[0].jobs: is not known; known here: ref, name, currency, timezone, hold_days, commission, rounding, minimum_payout, payout_schedule, commission_approval, payout_approval, incentives',
    ],
  ])('%s to %s', (from, to, fault) => {
    expect(faultsOf(changed([from, to]))).toEqual([fault]);
  });

  test('a setting of a source that would change nothing is refused', () => {
    const [events, table] = ['"kind": "affonso_events", ', '"kind": "sales_csv", '];
    const text = changed(
      [table, `${table}"test_events": true, `],
      [events, `${events}"mapping": { "amount": "Net" }, "allow_empty": true, "encoding": "utf-8", `],
    );
    const useless = 'is for tables of sales, and this source is an event log';
    expect(faultsOf(text)).toEqual([
      '26 accounts[0].sources[0].test_events: is for event logs of Stripe (stripe_events) only',
      `28 accounts[0].sources[1].mapping: ${useless}`,
      `28 accounts[0].sources[1].allow_empty: ${useless}`,
    ]);
    expect(faultsOf(changed([events, '"kind": "stripe_events", "test_events": true, ']))).toEqual([]);
  });

  test('a key that an object has twice is refused, wherever it is, with both its lines', () => {
    const text = changed(
      ['"hold_days": 30,', '"hold_days": 30,\n      "timezone": "Asia/Tokyo",'],
      ['"mapping": { "external_id": "Invoice No",', '"mapping": { "amount": "Net", "amount": "Gross",'],
      ['  "jobs": {', '  "accounts": [],\n  "jobs": {'],
    );
    const doubled = (line: number) => `stands here once more, after line ${line}; only one of them can count`;
    expect(faultsOf(text)).toEqual(
      expect.arrayContaining([
        `12 accounts[0].programs[0].timezone: ${doubled(10)}`,
        `28 accounts[0].sources[0].mapping.amount: ${doubled(28)}`,
        `32 accounts: ${doubled(3)}`,
      ]),
    );
    expect(faultsOf(changed(['"priority": 10', '"priority": 10, "priority": 10']))).toEqual([
      `22 accounts[0].programs[0].incentives[0].priority: ${doubled(22)}`,
    ]);
  });

  test('a file that is no JSON is told where it stops being one, and an empty one that it is empty', () => {
    expect(faultsOf(changed(['"ref": "acme",', '"ref": "acme"']))).toEqual([
      '5 (file): is no JSON here: comma expected',
    ]);
    expect(faultsOf('')).toEqual(['1 (file): is empty']);
    expect(faultsOf('[]')).toEqual(['1 (file): must be an object in { }']);
  });

  test('whatever is written there, the answer is a configuration or a list of faults, never a crash', async () => {
    const words = sample.split(/(?<=[,{}[\]:])/);
    const broken = fc
      .tuple(
        fc.nat(words.length - 1),
        fc.constantFrom('', '1', 'null', '[', '}', '"x"', '{}', '[null]', '"__proto__": 1,'),
      )
      .map(([at, piece]) => words.map((word, index) => (index === at ? piece : word)).join(''));
    await holds(
      fc.property(fc.oneof(broken, fc.json()), (text) => {
        const read = checkConfig(text);
        if ('faults' in read) {
          expect(read.faults.length).toBeGreaterThan(0);
          for (const fault of read.faults) expect(fault.line).toBeLessThanOrEqual(text.split('\n').length);
        }
      }),
    );
  });
});

describe('the workspace', async () => {
  const root = await emptyFolder();
  const inner = path.join(root, 'inbox', 'offline');
  await mkdir(inner, { recursive: true });
  await writeFile(path.join(root, 'payrun.json'), `\ufeff${sample}`);

  test('is the nearest folder upwards that has a payrun.json, or the folder that is named', () => {
    expect(loadConfig({ from: inner, env: {} }).workspace).toBe(root);
    expect(loadConfig({ folder: '../..', from: inner, env: {} }).workspace).toBe(root);
    expect(() => loadConfig({ folder: '.', from: inner, env: {} })).toThrowError(
      expect.objectContaining({ code: 'config-not-found', place: { file: path.join(inner, 'payrun.json') } }),
    );
    expect(() => loadConfig({ from: tmpdir(), env: {} })).toThrowError(
      expect.objectContaining({ code: 'config-not-found', exitCode: 2 }),
    );
  });

  test('that is found upwards and belongs to another user is refused, unless it is named or trusted', async () => {
    // Root may give files away; anyone else is the other user to somebody of another number.
    const isRoot = process.getuid?.() === 0;
    const user = isRoot ? 0 : 4_000_000;
    for (const other of ['', 'payrun.json', 'jobs']) {
      const root = await emptyFolder();
      await writeFile(path.join(root, 'payrun.json'), sample);
      await mkdir(path.join(root, 'jobs'));
      const from = path.join(root, 'inner');
      await mkdir(from);
      if (isRoot) await chown(path.join(root, other), 4_000_000, 4_000_000);
      const load =
        (place: string, env = {}) =>
        () =>
          loadConfig({ from: place, env, user });
      for (const place of [root, from])
        expect(load(place)).toThrowError(
          expect.objectContaining({
            code: 'workspace-untrusted',
            exitCode: 2,
            todo: expect.stringMatching(`--workspace ${root}, or set PAYRUN_TRUST=${root}`),
          }),
        );
      expect(load(from, { PAYRUN_TRUST: '/elsewhere:.' })).toThrowError('belongs to another user');
      expect(load(from, { PAYRUN_TRUST: `/elsewhere:${root}` })().workspace).toBe(root);
      expect(loadConfig({ folder: root, from, env: {}, user }).workspace).toBe(root);
    }
  });

  test('takes its database and log format from the environment', () => {
    const bare = loadConfig({ from: root, env: { DATABASE_URL: '' } });
    expect([bare.databaseUrl, bare.logFormat]).toEqual([undefined, 'text']);
    const given = loadConfig({ from: root, env: { DATABASE_URL: 'postgres://x', PAYRUN_LOG: 'json' } });
    expect([given.databaseUrl, given.logFormat]).toEqual(['postgres://x', 'json']);
  });

  test('can’t be changed by the code that reads it', () => {
    const config = loadConfig({ from: root, env: {} });
    expect(() => Object.assign(config.accounts[0]!.programs[0]!, { currency: 'EUR' })).toThrowError(
      TypeError,
    );
  });

  test('with faults is refused with the whole list', async () => {
    const folder = path.join(root, 'faulty');
    await mkdir(folder);
    await writeFile(path.join(folder, 'payrun.json'), changed(['"ref": "acme"', '"reff": "acme"']));
    const load = () => loadConfig({ from: folder, env: {} });
    expect(load).toThrowError(PayrunError);
    expect(load).toThrowError(
      'The configuration has 2 faults.\n  payrun.json:3 accounts[0].ref: is missing\n  payrun.json:4 accounts[0].reff: is not known; did you mean "ref"?',
    );
  });
});
