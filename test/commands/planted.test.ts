import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { testDatabase } from '../support/database.ts';
import { type Place, payrunJson } from './payrun.ts';
import { everyCommand, leavesOf, openScreen, rowsOf, type Screen } from './screen.ts';
import { configOf, workspace } from './workspace.ts';

/** Clears the screen, sets its title, colours by a C1 control, turns the order of letters around, and forges a line. */
const planted = '\u001b[2J\u001b]0;x\u0007\u009b31m\u202eDSU\u2066';
const unseen = /(?!\n)[\p{Cc}\p{Bidi_Control}]/u;
const forged = /^\s*FORGED/m;
const id = (name: string) => `${name}${planted}`;
/** The same as an import stores it: it takes out what shows nothing. */
const stored = (name: string) => id(name).replace(/\p{Cf}/gu, '');

const affiliates = `ref,name,email,short_code,status,payout_method,payout_destination
${id('eve')},"Eve${planted}
FORGED 9,999.00 USD",eve@example.com,${id('EVE')},active,paypal,eve@example.com
${id('dot')},${id('Dot')},dot@example.com,,paused,paypal,dot@example.com
`;
const header = 'external_id,affiliate,amount,currency,occurred_at,product_ids,refund_of';
const sales = `${header}
${id('S-1')},${id('eve')},1000.00,USD,2026-01-10T12:00:00Z,${id('prod')},
${id('S-2')},${id('dot')},100.00,USD,2026-01-10T12:00:00Z,,
${id('S-3')},${id('nobody')},100.00,USD,2026-01-10T12:00:00Z,,
${id('S-4')},${id('eve')},${id('1')},USD,2026-01-10T12:00:00Z,,
${id('R-1')},${id('eve')},-10.00,USD,2026-01-12T12:00:00Z,,${id('S-1')}
${id('R-9')},${id('eve')},-10.00,USD,2026-01-12T12:00:00Z,,${id('S-9')}
`;
const again = `${header}
${id('S-1')},${id('eve')},1200.00,USD,2026-01-10T12:00:00Z,${id('other')},
`;
const events = `${JSON.stringify({ event_type: id('sale'), event_id: id('E-1') })}\n`;
const file = (name: string) => path.join(place.cwd, `${name}\u001b[2J\u009b31m\u202e.csv`);
const by = ['--by', id('Eve')];

/** What no data can reach, or what a process is needed for. */
const apart = new Set([
  'db start',
  'db stop',
  'db psql',
  'db migrate',
  'start',
  'demo',
  'init',
  'help',
  'serve',
]);

let place: Place;
let screen: Screen;
const ids: Record<string, string> = {};

beforeAll(async () => {
  const { url } = await testDatabase();
  const config = configOf('acme', {
    name: id('Acme'),
    minimum_payout: '0.00',
    commission_approval: 'manual',
    incentives: [{ ref: 'pro', percent: '30', product_ids: [id('prod')] }],
  });
  config.accounts[0]!.name = id('Acme');
  place = { cwd: await workspace(config), url };
  await writeFile(file('people'), affiliates);
  await writeFile(file('sales'), sales);
  await writeFile(file('again'), again);
  await writeFile(file('events'), events);
  await mkdir(path.join(place.cwd, 'inbox'));
  await writeFile(path.join(place.cwd, 'inbox', id('stray')), '');
  await payrunJson(['apply'], place);
  screen = openScreen(place);
});

/** A command as a person types it, and what becomes visible there: nothing where it shows no data of this kind. */
type Line = [args: () => string[], shows?: string];

const night: Line[] = [
  [() => ['check'], 'stray␛[2J'],
  [() => ['apply', '--dry-run']],
  [() => ['import', 'affiliates', file('people')], 'people␛[2J'],
  [() => ['import', 'sales', file('sales'), '--dry-run'], 'S-3␛[2J'],
  [() => ['import', 'sales', file('sales')], 'sales␛[2J'],
  [() => ['import', 'sales', file('again')], 'S-1␛[2J'],
  [() => ['import', 'events', file('events')], 'sale␛[2J'],
  [() => ['import', 'referrals', file('sales')], 'sales␛[2J'],
  [() => ['import', 'sales', file('none')], 'none␛[2J'],
  [() => ['release', '--as-of', '2026-03-01']],
  [() => ['run', 'retry-parked']],
  [() => ['run', id('job')], 'job␛[2J'],
  [() => ['conflicts', 'list'], 'S-1␛[2J'],
  [() => ['conflicts', 'show', ids.conflict!], 'S-1␛[2J'],
  [() => ['conflicts', 'keep', ids.conflict!, '--reason', id('why'), ...by, '--dry-run']],
  [() => ['conflicts', 'accept', ids.conflict!, ...by, '--dry-run'], 'S-1␛[2J'],
  [() => ['commissions', 'approve', '--all-of', 'main', ...by]],
  [() => ['commissions', 'approve', '--all-of', id('none'), ...by], 'none␛[2J'],
  [() => ['payouts', 'prepare', '--as-of', '2026-03-01', ...by]],
  [() => ['payouts', 'list'], 'Eve␛[2J'],
  [() => ['payouts', 'show', ids.batch!], 'eve␛[2J'],
  [() => ['payouts', 'cancel', '--by', 'ada', ids.batch!, '--reason', id('why'), '--dry-run']],
  [() => ['payouts', 'approve', ids.batch!, ...by]],
  [() => ['payouts', 'export']],
  [() => ['explain', stored('S-1')], 'S-1␛[2J'],
  [() => ['explain', stored('R-9')], 'S-9␛[2J'],
  [() => ['explain', stored('eve')], 'EVE␛[2J'],
  [() => ['explain', ids.reference!], 'eve␛[2J'],
  [() => ['payouts', 'mark-paid', ids.reference!, '--reference', id('PP'), ...by]],
  [() => ['commissions', 'list'], 'S-1␛[2J'],
  [() => ['commissions', 'list', '--csv'], 'S-1␛[2J'],
  [() => ['adjust', stored('eve'), '5.00', '--reason', id('why'), ...by], 'why␛[2J'],
  [() => ['payouts', 'mark-returned', ids.reference!, '--reason', id('why'), ...by]],
  [() => ['payouts', 'mark-failed', ids.reference!, '--reason', id('why'), ...by]],
  [() => ['affiliates', 'list'], 'eve␛[2J'],
  [() => ['affiliates', 'show', stored('eve')], 'eve␛[2J'],
  [() => ['balances'], 'eve␛[2J'],
  [() => ['keys', 'create', id('key'), '--for', 'affonso']],
  [() => ['keys', 'list'], 'key␛[2J'],
  [() => ['keys', 'revoke', id('none')], 'none␛[2J'],
  [() => ['audit']],
  [() => ['runs', 'list']],
  [() => ['runs', 'show', ids.run!], 'Eve␛[2J'],
  [() => ['imports', 'list'], 'sales␛[2J'],
  [() => ['imports', 'show', ids.import!], 'S-1␛[2J'],
  [() => ['imports', 'undo', ids.import!, '--reason', id('why'), ...by], 'again␛[2J'],
];

describe('data can neither steer the terminal nor forge a line of its own', () => {
  test.each(night.map((line) => ({ line, name: line[0].toString().replaceAll(/\s+/g, ' ').slice(6, 80) })))(
    '$name',
    async ({ line }) => {
      await learnIds();
      const [args, shows] = line;
      const seen = await screen.see(args(), 80);
      expect(seen).not.toMatch(unseen);
      if (!args().includes('--csv')) expect(seen).not.toMatch(forged);
      if (shows !== undefined) expect(seen.replaceAll(/\s+/g, ' ')).toContain(shows);
    },
  );

  test('as JSON, and in a pipe', async () => {
    for (const args of [
      ['runs', 'list'],
      ['imports', 'list'],
      ['explain', stored('S-1')],
      ['payouts', 'list'],
    ]) {
      expect(await screen.see(args)).not.toMatch(unseen);
      const document = await screen.see([...args, '--json'], 80);
      expect(document).not.toMatch(unseen);
      expect(JSON.stringify(JSON.parse(document))).toContain('\\u001b[2J');
    }
  });

  test('every command that shows data is among them', async () => {
    const tried = new Set(night.map(([args]) => args()));
    const program = await everyCommand({ does: () => () => {} } as never);
    const untried = leavesOf(program).filter(
      (leaf) => !apart.has(leaf) && ![...tried].some((args) => args.join(' ').startsWith(leaf)),
    );
    expect(untried).toEqual([]);
  });
});

/** What there is by now, as programs learn it. */
async function learnIds(): Promise<void> {
  const read = async (...args: string[]) => JSON.parse(await screen.see([...args, '--json']));
  ids.conflict = rowsOf(await read('conflicts', 'list'))[0]?.conflict ?? 'cfl';
  ids.batch = rowsOf(await read('payouts', 'list'))[0]?.batch ?? 'pob';
  const imports = rowsOf(await read('imports', 'list'));
  ids.import = imports.find((one) => one.file?.startsWith('again'))?.import ?? 'imp';
  const runs = rowsOf(await read('runs', 'list', '--limit', '100'));
  ids.run = runs.find((one) => one.job === 'approve-payouts')?.run ?? runs[0]?.run ?? 'run';
  if (ids.batch !== 'pob') {
    const { first_payouts } = (await read('payouts', 'show', ids.batch)) as Record<
      string,
      { reference: string }[]
    >;
    ids.reference = first_payouts?.[0]?.reference ?? 'none';
  }
}
