import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { Db } from '../../src/db/connect.ts';
import { jsonText } from '../../src/runs/identity.ts';
import { type Ended, payrun, payrunJson } from '../commands/payrun.ts';
import { openShop, type Shop } from '../commands/shop.ts';
import { type Config, writeConfig } from '../commands/workspace.ts';
import { testDatabase } from '../support/database.ts';
import { type Message, otherCommit, proxyBefore, workCommit } from '../support/proxy.ts';
import { snapshot } from '../support/snapshot.ts';

const asOf = ['--as-of', '2026-03-02T02:00:00Z'];
const more = `external_id,affiliate,amount,currency,occurred_at
M-1,ada,400.00,USD,2026-01-12T12:00:00Z
M-2,bob,500.00,USD,2026-01-12T12:00:00Z
M-3,nobody,1.00,USD,2026-01-12T12:00:00Z
`;
const logged = {
  event_name: 'paid',
  event_type: 'conversion',
  external_event_id: 'E-1',
  customer_id: 'kim',
  sale_amount: 120,
  sale_amount_currency: 'USD',
  occurred_at: '2026-01-10T12:00:00Z',
  metadata: { affiliate_id: 'ada' },
};
const files = {
  'people.csv': 'ref,name,email\neve,Eve,eve@example.com\nada,Ada L.,ada@example.com\n',
  'referrals.csv': 'affiliate,customer_id\nada,kim\nbob,lee\n',
  'more.csv': more,
  'log.ndjson': `${JSON.stringify(logged)}\n`,
  'other-facts.csv': more.replace('400.00', '410.00').replace('500.00', '450.00'),
  'wrong.csv': more.replaceAll('M-', 'W-'),
  'unknown.csv': 'Invoice no.;Partner;Net amount;Currency;Date\nU-1;ada;99,00;USD;15.01.2026\n',
  'inbox/offline/late.csv': more.replaceAll('M-', 'L-'),
};

interface Told extends Ended {
  command: string;
}

/** What a command is run with, and which of its commits are cut off; none, where it has none of these. */
type Way = (shop: Shop, args: string[], commits?: (message: Message) => boolean) => Promise<Told>;

/** Every command that changes anything, in an order in which each has something to do. */
async function story(shop: Shop, way: Way): Promise<Told[]> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(shop.cwd, name)), { recursive: true });
    await writeFile(path.join(shop.cwd, name), text);
  }
  const config = JSON.parse(await readFile(path.join(shop.cwd, 'payrun.json'), 'utf8')) as Config;
  config.accounts[0]!.programs[0]!.name = 'Acme Friends';
  await writeConfig(shop.cwd, config);
  const told: Told[] = [];
  const does = async (...args: string[]) => void told.push(await way(shop, args));
  const first = async (...list: string[]) => ((await payrunJson(list, shop)) as Record<string, string>[])[0]!;

  told.push(await way(shop, ['apply'], otherCommit));
  await does('import', 'affiliates', 'people.csv');
  await does('import', 'referrals', 'referrals.csv');
  await does('import', 'sales', 'more.csv');
  await does('import', 'events', 'log.ndjson');
  await does('import', 'sales', 'other-facts.csv');
  await does('conflicts', 'keep', '--by', 'ada', (await first('conflicts', 'list')).conflict!);
  await does('conflicts', 'accept', '--by', 'ada', (await first('conflicts', 'list')).conflict!);
  await does('import', 'sales', 'wrong.csv');
  const { import: wrong } = await first('imports', 'list');
  await does('imports', 'undo', wrong!, '--by', 'Ada', '--reason', 'wrong');
  await does('release', ...asOf);
  await does('commissions', 'approve', '--all-of', 'main', '--by', 'Ada');
  await does('payouts', 'prepare', '--by', 'Ada', ...asOf);
  const { batch: canceled } = await first('payouts', 'list');
  await does('payouts', 'cancel', '--by', 'ada', canceled!, '--reason', 'too early');
  await payrunJson(['payouts', 'prepare', '--by', 'Ada', ...asOf], shop);
  const { batch } = await first('payouts', 'list');
  await does('payouts', 'approve', batch!, '--by', 'Bea');
  await does('payouts', 'export');
  const shown = (await payrunJson(['payouts', 'show', batch!], shop)) as {
    first_payouts: { reference: string; amount: string }[];
  };
  const { reference } = shown.first_payouts.find(({ amount }) => amount === '406.00')!;
  await does('payouts', 'mark-paid', reference, '--reference', 'PP-1', '--by', 'Ada');
  await does('payouts', 'mark-returned', reference, '--reason', 'account closed', '--by', 'Ada');
  await does('adjust', 'ada', '25.00', '--reason', 'prize', '--by', 'Ada');
  await does('run', 'nightly', ...asOf);
  told.push(await way(shop, ['import', 'sales', 'unknown.csv', '--save-mapping', 'erp'], otherCommit));
  return told;
}

async function scene() {
  const database = await testDatabase();
  const shop = await openShop(database.url, { commission_approval: 'manual', payout_approval: 'manual' });
  return { ...database, shop };
}

/** What was said, without what differs from one shop to another by its nature. */
const plain =
  ({ account, cwd }: Shop) =>
  ({ command, code, stdout }: Told) => {
    const said = stdout
      .replaceAll(account, 'the shop')
      .replaceAll(cwd, '')
      .replaceAll(/"(reference|payout)": ?"[0-9A-Z]{12}"/g, '"$1": "#"')
      .replaceAll(/\b([a-z]{2,4})_[0-9a-z]{26}\b/g, '$1_#')
      .replaceAll(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, '#')
      .replaceAll(/20\d\d-[\d-]+T[\d:.]+Z/g, '#')
      .replaceAll(/"sha256": ?"\w+"/g, '"sha256": "#"');
    return { command, code, said };
  };

/** All that the database says, without the ids of imports that what was undone is kept under. */
async function books(db: Db): Promise<unknown> {
  return JSON.parse(jsonText(await snapshot(db)).replaceAll(/#undone:[0-9a-f-]+/g, '#undone'));
}

test('whatever a command has done, it tells, though the answer to each of its commits is lost', async () => {
  const [undisturbed, cut] = [await scene(), await scene()];
  const proxy = await proxyBefore(cut.url);
  const straight: Way = async (shop, args) => ({
    command: args.slice(0, 2).join(' '),
    ...(await payrun([...args, '--json'], shop)),
  });
  const broken: Way = async (shop, args, commits = workCommit) => {
    proxy.cut(commits, 'answered', commits === workCommit ? Number.POSITIVE_INFINITY : 1);
    const told = await straight({ ...shop, url: proxy.url }, args);
    expect({ args, cuts: proxy.cuts() }).not.toEqual({ args, cuts: 0 });
    return told;
  };
  const [expected, told] = await Promise.all([story(undisturbed.shop, straight), story(cut.shop, broken)]);
  expect(told.map(plain(cut.shop))).toEqual(expected.map(plain(undisturbed.shop)));
  expect(told.filter(({ code }) => code !== 0 && code !== 3)).toEqual([]);
  expect(await books(cut.db)).toEqual(await books(undisturbed.db));
  expect((await payrun(['audit'], cut.shop)).code).toBe(0);
}, 400_000);
