import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { testDatabase } from '../support/database.ts';
import { payrun, payrunJson } from './payrun.ts';
import { openShop, type Shop } from './shop.ts';

interface Batch {
  batch: string;
  status: string;
  payouts: number;
  amount: string;
  currency: string;
  files: string[];
  prepared_by: string;
  approved_by: string | null;
  first_payouts: {
    payout: string;
    reference: string;
    amount: string;
    status: string;
    provider_reference: string | null;
  }[];
}

let url: string;

beforeAll(async () => {
  url = (await testDatabase()).url;
});

async function prepared(shop: Shop, by = 'ada'): Promise<Batch> {
  await payrunJson(['release', '--as-of', '2026-03-02'], shop);
  await payrunJson(['payouts', 'prepare', '--as-of', '2026-03-02', '--by', by], shop);
  const batches = (await payrunJson(['payouts', 'list'], shop)) as Batch[];
  expect(batches).toHaveLength(1);
  return show(shop, batches[0]!.batch);
}

const show = async (shop: Shop, batch: string) =>
  (await payrunJson(['payouts', 'show', batch], shop)) as Batch;

test('from ready to paid: prepare, approve, export, mark paid', async () => {
  const shop = await openShop(url);
  const draft = await prepared(shop);
  expect(draft).toMatchObject({
    status: 'draft',
    payouts: 1,
    amount: '300.00',
    currency: 'USD',
    prepared_by: 'ada',
  });
  const [payout] = draft.first_payouts;

  await payrunJson(['payouts', 'approve', '--by', 'ada', draft.batch], shop);
  expect(await show(shop, draft.batch)).toMatchObject({ status: 'approved', approved_by: 'ada' });

  await payrunJson(['payouts', 'export'], shop);
  const exported = await show(shop, draft.batch);
  expect(exported.status).toBe('exported');
  expect(await readdir(path.join(shop.cwd, 'outbox'))).toEqual(expect.arrayContaining(exported.files));

  const flags = ['--reference', 'PP-77', '--by', 'Grace'];
  await payrunJson(['payouts', 'mark-paid', payout!.reference, ...flags], shop);
  const paid = await show(shop, draft.batch);
  expect(paid).toMatchObject({ status: 'settled' });
  expect(paid.first_payouts[0]).toMatchObject({ status: 'paid', provider_reference: 'PP-77' });
});

test('a dry run of a preparation shows who would be paid, and makes nothing', async () => {
  const shop = await openShop(url);
  await payrunJson(['release', '--as-of', '2026-03-02'], shop);
  const plan = await payrunJson(
    ['payouts', 'prepare', '--by', 'ada', '--as-of', '2026-03-02', '--dry-run'],
    shop,
  );
  expect(plan).toMatchObject({ run: null, dry_run: true, counts: { payouts: 1, left_out: 2 } });
  expect(plan).toMatchObject({
    report: { payees: [{ affiliate: 'ada', name: "Ada's Blog", amount: '300.00', currency: 'USD' }] },
  });
  const sheet = await payrun(
    ['payouts', 'prepare', '--by', 'ada', '--as-of', '2026-03-02', '--dry-run', '--csv'],
    shop,
  );
  expect(sheet.stdout).toBe(
    "affiliate,name,method,commissions,amount,currency\nada,Ada's Blog,paypal,1,300.00,USD\n",
  );
  expect((await payrun(['payouts', 'prepare', '--by', 'ada', '--csv'], shop)).code).toBe(2);
  expect(await payrunJson(['payouts', 'list'], shop)).toEqual([]);
});

test('a batch is shown by affiliate, a part of it by name, and all of it as CSV', async () => {
  const shop = await openShop(url);
  const { batch, first_payouts } = await prepared(shop);
  const shown = await payrun(['payouts', 'show', batch, '--affiliate', 'ADA10'], shop);
  expect(shown.stdout).toMatch(/Ada's Blog +ada +[0-9A-Z]{12} +1 +300\.00 USD +draft/);
  expect((await payrun(['payouts', 'show', batch, '--affiliate', 'bob'], shop)).stdout).toContain(
    'no such payouts',
  );
  const sheet = await payrun(['payouts', 'show', batch, '--csv'], shop);
  expect(sheet.stdout).toContain(`${first_payouts[0]!.reference},ada,Ada's Blog,1,300.00,USD,draft,,\n`);
  expect((await payrun(['payouts', 'show', batch, '--after', 'ada'], shop)).stdout).toContain(
    'no such payouts',
  );
});

test('where two persons are asked for, the approval needs a name, and another one', async () => {
  const shop = await openShop(url, { payout_approval: 'two_persons' });
  const { batch } = await prepared(shop, 'Grace');
  const unnamed = await payrun(['payouts', 'approve', batch], shop);
  expect(unnamed.code).toBe(2);
  expect(unnamed.stderr).toContain('--by');
  const same = await payrun(['payouts', 'approve', batch, '--by', 'grace'], shop);
  expect(same.code).toBe(1);
  expect(same.stderr).toContain('two persons');
  expect((await show(shop, batch)).status).toBe('draft');
  await payrunJson(['payouts', 'approve', batch, '--by', 'Ada'], shop);
  expect(await show(shop, batch)).toMatchObject({ status: 'approved', approved_by: 'Ada' });
});

test('after the night two people must say yes, and every view says who has and who is missing', async () => {
  const shop = await openShop(url, { payout_approval: 'two_persons' });
  await payrunJson(['run', 'nightly', '--as-of', '2026-03-02'], shop);
  const [{ batch }] = (await payrunJson(['payouts', 'list'], shop)) as [Batch];
  expect(await show(shop, batch)).toMatchObject({ said_yes: [], still_needed: 'two different persons' });
  const nobody = await payrun(['payouts', 'approve', batch, '--by', ' PayRun'], shop);
  expect(nobody).toMatchObject({ code: 2, stderr: expect.stringContaining('nobody') });

  const first = await payrun(['payouts', 'approve', batch, '--by', 'Ada'], shop);
  expect(first.code).toBe(3);
  expect(first.stdout).toContain('still needed: one other person than Ada');
  expect(await show(shop, batch)).toMatchObject({
    status: 'draft',
    said_yes: ['Ada'],
    still_needed: 'one other person than Ada',
  });
  const list = await payrun(['payouts', 'list'], shop);
  expect(list.stdout).toMatch(/Ada +one other person than Ada/);
  expect((await payrun(['explain', 'INV-1'], shop)).stdout).toContain(
    'one other person than Ada must say yes',
  );
  expect((await payrun(['payouts', 'approve', batch, '--by', 'ada'], shop)).code).toBe(1);
  await payrunJson(['payouts', 'approve', batch, '--by', 'Grace'], shop);
  expect(await show(shop, batch)).toMatchObject({
    status: 'approved',
    said_yes: ['Ada', 'Grace'],
    still_needed: null,
  });
});

test('nobody prepares under Payrun’s own name', async () => {
  const shop = await openShop(url);
  const run = await payrun(['payouts', 'prepare', '--by', 'PAYRUN'], shop);
  expect(run).toMatchObject({ code: 2, stderr: expect.stringContaining('nobody') });
});

test('a canceled batch gives its commissions back, and needs a reason', async () => {
  const shop = await openShop(url);
  const { batch } = await prepared(shop);
  expect((await payrun(['payouts', 'cancel', '--by', 'ada', batch], shop)).code).toBe(2);
  await payrunJson(['payouts', 'cancel', '--by', 'ada', batch, '--reason', 'wrong month'], shop);
  expect(await show(shop, batch)).toMatchObject({ status: 'canceled', payouts: 0 });
  const again = await prepared2(shop);
  expect(again).toMatchObject({ status: 'draft', amount: '300.00' });
});

test('an affiliate who is banned after the approval is not paid, and everyone who asks is told so', async () => {
  const shop = await openShop(url);
  const { batch, first_payouts } = await prepared(shop);
  const { reference } = first_payouts[0]!;
  await payrunJson(['payouts', 'approve', '--by', 'ada', batch], shop);
  await writeFile(path.join(shop.cwd, 'ban.csv'), "ref,name,status\nada,Ada's Blog,banned\n");
  await payrunJson(['import', 'affiliates', 'ban.csv'], shop);
  const before = await payrun(['explain', reference], shop);
  expect(before.stdout).toContain('The affiliate, now banned, becomes active;');

  const { code, stdout } = await payrun(['payouts', 'export'], shop);
  expect(code).toBe(3);
  expect(stdout).toMatch(/the affiliate is banned/);
  expect(stdout).toMatch(new RegExp(`ada +${reference} +the affiliate is banned +300\\.00 USD`));
  expect(await readdir(path.join(shop.cwd, 'outbox'))).toEqual([]);
  const payout = await payrun(['explain', reference], shop);
  expect(payout.stdout).toContain('canceled: the affiliate is banned');
  const sale = await payrun(['explain', 'INV-1'], shop);
  expect(sale.stdout).toContain('Ready to be paid to');
  expect(sale.stdout).toContain('The affiliate, now banned, becomes active.');
  expect((await payrun(['audit'], shop)).code).toBe(0);
});

test('a payout is marked paid by name only, and only by its own id or reference', async () => {
  const shop = await openShop(url);
  const { batch } = await prepared(shop);
  expect((await payrun(['payouts', 'mark-paid', 'INV-1', '--reference', 'X'], shop)).code).toBe(2);
  const sale = await payrun(['payouts', 'mark-paid', 'INV-1', '--reference', 'X', '--by', 'Grace'], shop);
  expect(sale.code).toBe(2);
  expect(sale.stderr).toContain('The account has no such payout');
  const { first_payouts } = await show(shop, batch);
  const early = await payrun(
    ['payouts', 'mark-paid', first_payouts[0]!.payout, '--reference', 'X', '--by', 'Grace'],
    shop,
  );
  expect(early.code).toBe(1);
  expect(early.stderr).toContain('not exported yet');
});

test('an id of something else is refused with what was expected', async () => {
  const shop = await openShop(url);
  const run = await payrun(['payouts', 'show', 'po_01m7y4rnpkfr2vw6q000000001'], shop);
  expect(run.code).toBe(2);
  expect(run.stderr).toContain('starts with "pob_"');
});

async function prepared2(shop: Shop): Promise<Batch> {
  await payrunJson(['payouts', 'prepare', '--by', 'ada', '--as-of', '2026-03-02'], shop);
  const drafts = (await payrunJson(['payouts', 'list', '--status', 'draft'], shop)) as Batch[];
  expect(drafts).toHaveLength(1);
  return drafts[0]!;
}
