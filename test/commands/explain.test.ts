import { beforeAll, expect, test } from 'vitest';
import { testDatabase } from '../support/database.ts';
import { payrun, payrunJson } from './payrun.ts';
import { openShop, type Shop } from './shop.ts';

interface Sale {
  conversion: string;
  commission: { commission: string; status: string; payout_reference: string | null } | null;
}

let shop: Shop;

beforeAll(async () => {
  const { url } = await testDatabase();
  shop = await openShop(url, { payout_approval: 'automatic' });
  await payrunJson(['release', '--as-of', '2026-03-02'], shop);
  await payrunJson(['payouts', 'prepare', '--as-of', '2026-03-02', '--by', 'ada'], shop);
});

async function words(id: string): Promise<string> {
  const { code, stdout, stderr } = await payrun(['explain', id], shop);
  expect({ code, stderr: stderr.includes('error') }).toEqual({ code: 0, stderr: false });
  return stdout;
}

test('a commission in a payout: which one, by which rule, and out of which line of which file', async () => {
  const text = await words('INV-1');
  expect(text).toMatch(/^Commission com_\w+ {2}300\.00 USD {2}ready for payment/);
  expect(text).toMatch(/In the payout [0-9A-Z]{12} \(po_\w+\), which is approved\./);
  expect(text).toContain('30 % of 1,000.00 USD, by the incentive pro of the programme main');
  expect(text).toMatch(/by the run run_\w+ \(release-holds, as of 2026-03-02 01:00 Europe\/Berlin\)/);
  expect(text).toContain('Its hold of 30 days ended on 2026-02-09 13:00 Europe/Berlin.');
  expect(text).toContain('sales.csv:2');
});

test('a commission whose hold has ended but that nobody released says what moves it on', async () => {
  const text = await words('INV-2');
  expect(text).toContain('Pending, although its hold has ended');
  expect(text).toContain('The next run of release-holds moves it on.');
  expect(text).toContain('by the default of the programme main');
});

test('a commission under the minimum says when its affiliate was left out, and why', async () => {
  const text = await words('INV-3');
  expect(text).toContain('the balance of 20.00 USD was under the minimum of 50.00 USD');
});

test("a commission at the affiliate's own percentage says so, and what is missing to be paid", async () => {
  const text = await words('INV-4');
  expect(text).toContain("25 % of 1,000.00 USD, by the affiliate's own percentage");
  expect(text).toContain('The affiliate gets a payout method and destination.');
});

test('a sale that earned nothing says why', async () => {
  const text = await words('INV-5');
  expect(text).toMatch(/^Conversion cnv_\w+ {2}no commission/);
  expect(text).toContain('It earned no commission: the affiliate is paused.');
});

test('the same sale is found by its external id and by both of its ids in every form', async () => {
  const sale = (await payrunJson(['explain', 'INV-1'], shop)) as Sale;
  for (const id of [sale.conversion, sale.commission!.commission, sale.conversion.toUpperCase()]) {
    expect(await payrunJson(['explain', id], shop)).toEqual(sale);
  }
});

test('a payout is found by its reference in either case, with its timeline and the sum of its lines', async () => {
  const sale = (await payrunJson(['explain', 'INV-1'], shop)) as Sale;
  const reference = sale.commission!.payout_reference!;
  const text = await words(reference.toLowerCase());
  expect(text).toContain(`Payout ${reference}  300.00 USD  approved`);
  expect(text).toMatch(/prepared by ada, in the run run_/);
  expect(text).toContain('approved automatically');
  expect(text).toMatch(/in it now +1 commission, 300\.00 USD/);
  expect(text).toContain('payrun payouts export');
});

test('an affiliate is found by ref, short code or e-mail, with its balances and why it was not paid', async () => {
  const ada = await payrunJson(['explain', 'ada'], shop);
  expect(ada).toMatchObject({
    kind: 'affiliate',
    balances: [{ currency: 'USD', earned: '302.00', pending: '2.00', in_payout: '300.00', ready: '0.00' }],
  });
  for (const name of ['ADA10', 'Ada@Example.com'])
    expect(await payrunJson(['explain', name], shop)).toEqual(ada);
  expect(await words('bob')).toContain('under the minimum of 50.00 USD');
  expect(await words('dot')).toContain('It is paused');
});

test('what nobody knows ends with code 2; an e-mail address is not repeated on stderr', async () => {
  const unknown = await payrun(['explain', 'INV-99'], shop);
  expect(unknown).toMatchObject({ code: 2, stdout: '' });
  expect(unknown.stderr).toContain('INV-99');
  const mail = await payrun(['explain', 'who@example.com'], shop);
  expect(mail.code).toBe(2);
  expect(mail.stderr).not.toContain('who@');
});

test('the id of something that cannot be explained is sent to the right command', async () => {
  const [run] = (await payrunJson(['runs', 'list'], shop)) as { run: string }[];
  const said = await payrun(['explain', run!.run], shop);
  expect(said.code).toBe(2);
  expect(said.stderr).toContain('payrun runs show');
});
