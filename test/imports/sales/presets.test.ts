import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { audited, booked } from '../../support/books.ts';
import { testDatabase } from '../../support/database.ts';
import { type Desk, openDesk } from '../../support/desk.ts';
import { holds } from '../../support/property.ts';
import { deskOfAnn, header } from '../ann.ts';

const { db } = await testDatabase();
const fixtures = fileURLToPath(new URL('../../../fixtures/imports/', import.meta.url));

const orderHeader = [
  'Name,Email,Financial Status,Currency,Subtotal,Total,Discount Code,Created at',
  'Lineitem name,Lineitem sku,Note Attributes,Refunded Amount,Id',
].join(',');

/** A paid order of 100 dollars by Ann, a line for each product. */
function order(
  number: number,
  products: string[],
  { total = '100.00', email = '', code = '', note = 'affiliate_id: ann' } = {},
): string[] {
  const [first, ...more] = products;
  const at = '2026-01-10 10:00:00 +0100';
  return [
    `#${number},${email},paid,USD,100.00,${total},${code},${at},Thing,${first},${note},0.00,900${number}`,
    ...more.map((product) => `#${number},${email},,,,,,${at},Thing,${product},,,`),
  ];
}

const shopify = (lines: string[]) => `${[orderHeader, ...lines].join('\n')}\n`;

/** What the sales of a desk are and earn, and which rule says so. */
async function books({ world }: Desk): Promise<unknown[]> {
  return [...(await booked(world)).values()].map((row) => [
    row.external_id,
    row.affiliate,
    row.amount,
    row.occurred_at,
    row.commission,
    row.incentive,
  ]);
}

describe('a known export', () => {
  const ofPresets = readdirSync(fixtures).filter((name) => /"preset"/.test(expectation(name)));

  test.each(ofPresets)('%s is found by its header, and the report says why', async (name) => {
    const desk = await deskOfAnn(db, { rates: ['EUR,USD,2026-01-11,1.1,ECB'] });
    const file = name.replace('.expected.json', '.csv');
    const { preset } = JSON.parse(expectation(name)) as { preset: string };
    if (file.includes('stated-order')) return;
    const { report } = await desk.land('sales', readFileSync(path.join(fixtures, file)));
    expect(report.layout).toMatchObject({
      preset,
      source: null,
      why: expect.stringMatching(/^the header has "/),
    });
  });

  test('gives way to a source of the account that the header fits', async () => {
    const mapping = {
      external_id: 'Id',
      amount: 'Total',
      occurred_at: 'Created at',
      affiliate: 'Lineitem name',
    };
    const desk = await deskOfAnn(db, {
      sources: [
        { ref: 'other', kind: 'sales_csv', delimiter: ';', mapping: { external_id: 'Rechnung' } },
        { ref: 'own', kind: 'sales_csv', mapping },
      ],
    });
    const file = shopify(order(1, ['TEE'], { total: '117.00' }).map((line) => line.replace('Thing', 'ann')));
    const { report } = await desk.land('sales', file, { dryRun: true });
    expect(report.layout).toMatchObject({ source: 'own', preset: null });
    const named = await desk.land('sales', `${header}\ns-1,ann,1.00,USD,2026-01-10\n`);
    expect(named.report.layout).toMatchObject({ source: null, preset: null });
  });

  test('is found although the account’s only source has another delimiter', async () => {
    const desk = await deskOfAnn(db, {
      sources: [
        { ref: 'german', kind: 'sales_csv', delimiter: ';', mapping: { external_id: 'Rechnung' } },
        { ref: 'mac', kind: 'sales_csv', encoding: 'macroman', mapping: { external_id: 'Facture' } },
      ],
    });
    const { report, counts } = await desk.land('sales', shopify(order(1, ['TEE'])));
    expect([report.layout?.preset, counts.recorded]).toEqual(['shopify_orders', 1]);
  });

  test('may be laid under a source, whose own settings come first', async () => {
    const desk = await deskOfAnn(db, {
      sources: [
        {
          ref: 'shop',
          kind: 'sales_csv',
          preset: 'shopify_orders',
          mapping: { amount: 'Total' },
          defaults: { affiliate: 'ann' },
          id_prefix: 'shop:',
          unattributed: 'reject',
        },
      ],
    });
    const lines = order(1, ['TEE'], { total: '117.00', note: '' });
    const { report } = await desk.land('sales', shopify(lines), { source: 'shop' });
    expect(report.layout).toMatchObject({ source: 'shop', preset: 'shopify_orders' });
    expect(((await books(desk))[0] as unknown[]).slice(0, 3)).toEqual(['shop:9001', 'ann', 117_00n]);
  });

  test('that lacks a column of the preset its source names is refused, naming the column', async () => {
    const desk = await deskOfAnn(db, {
      sources: [{ ref: 'shop', kind: 'sales_csv', preset: 'shopify_orders' }],
    });
    const file = shopify(order(1, ['TEE'])).replace('Subtotal', 'Sum');
    await expect(desk.land('sales', file, { source: 'shop' })).rejects.toThrow('no column "Subtotal"');
  });
});

test('a preview shows what a preset makes beside the cells that it makes it of', async () => {
  const desk = await deskOfAnn(db);
  const file = readFileSync(path.join(fixtures, 'paypal-activity.csv'));
  const { report } = await desk.land('sales', file, { dryRun: true });
  const cells = report.preview!.rows[0]!.cells.map(({ column, raw, field, understood }) =>
    [column, raw, field, understood].join('|'),
  );
  for (const cell of [
    'Date|01/02/2026||',
    'Gross|1,234.50||',
    'Shipping and Handling Amount|20.00||',
    'Sales Tax|14.50||',
    '||amount|1,200.00 USD',
    '||occurred_at|2026-01-02T13:57:10-08:00',
    'Currency|USD|currency|USD',
  ])
    expect(cells).toContain(cell);
});

describe('an order of several lines', () => {
  const rules = { program: { incentives: [{ ref: 'mugs', percent: '50', product_ids: ['MUG'] }] } };

  test('is one sale of all its products', async () => {
    const desk = await deskOfAnn(db, rules);
    const { counts } = await desk.land(
      'sales',
      shopify([...order(1, ['TEE', 'MUG']), ...order(2, ['TEE', 'CAP'])]),
    );
    expect(counts).toMatchObject({ rows: 2, recorded: 2, ignored: 0 });
    expect((await books(desk)).map((row) => (row as unknown[]).slice(-2))).toEqual([
      [50_00n, 'mugs'],
      [20_00n, null],
    ]);
  });

  test.each([
    ['above its order', ([first, second]: string[]) => [second!, first!]],
    ['behind another order', ([first, second]: string[]) => [first!, ...order(2, ['CAP']), second!]],
  ])(
    'of which a line stands %s is refused: it might be what decides about the commission',
    async (_, moved) => {
      const desk = await deskOfAnn(db, rules);
      const file = shopify(moved(order(1, ['TEE', 'MUG'])));
      await expect(desk.land('sales', file)).rejects.toMatchObject({ code: 'file-refused', found: '#1' });
      expect(await books(desk)).toEqual([]);
    },
  );

  test('may begin in one piece of the file and end in the next', async () => {
    const desk = await deskOfAnn(db, rules);
    const many = Array.from({ length: 2_000 }, (_, index) => `THING-${index}`);
    const { counts } = await desk.land('sales', shopify(order(1, ['TEE', ...many, 'MUG'])));
    expect(counts).toMatchObject({ rows: 1, recorded: 1 });
    expect(await books(desk)).toMatchObject([['9001', 'ann', 100_00n, {}, 50_00n, 'mugs']]);
  });

  test('that is rejected comes back with all of its lines, and counts as one row again', async () => {
    const desk = await deskOfAnn(db, rules);
    const lines = [...order(1, ['TEE', 'MUG']), ...order(2, ['MUG', 'TEE'])];
    const file = shopify(lines).replace('affiliate_id: ann', 'affiliate_id: zoe');
    const { counts, report } = await desk.land('sales', file);
    expect(counts).toMatchObject({ rows: 2, recorded: 1, rejected: 1 });
    const rejects = readFileSync(path.join(desk.workspace, report.rejects_file!), 'utf8');
    const back = await desk.land('sales', rejects.replace('affiliate_id: zoe', 'affiliate_id: ann'));
    expect(back.counts).toMatchObject({ rows: 1, recorded: 1 });
    expect((await books(desk)).map((row) => (row as unknown[]).at(-1))).toEqual(['mugs', 'mugs']);
  });

  test('whatever the order of orders in the file, the ledger is the same', async () => {
    const orders = fc.array(
      fc.record({
        products: fc.array(fc.constantFrom('TEE', 'MUG', 'CAP'), { minLength: 1, maxLength: 4 }),
        email: fc.constantFrom('', 'kim@example.com', 'lee@example.com'),
      }),
      { minLength: 1, maxLength: 12 },
    );
    const shuffled = orders.chain((given) =>
      fc.tuple(
        fc.constant(given),
        fc.shuffledSubarray([...given.keys()], { minLength: given.length, maxLength: given.length }),
      ),
    );
    await holds(
      fc.asyncProperty(shuffled, async ([given, places]) => {
        const lines = given.map(({ products, email }, index) => order(index + 1, products, { email }));
        const landed = [lines, places.map((place) => lines[place]!)].map(async (some) => {
          const desk = await deskOfAnn(db, rules);
          const { counts } = await desk.land('sales', shopify(some.flat()));
          expect(counts).toMatchObject({ rows: given.length, recorded: given.length });
          expect(await audited(desk.world)).toEqual([]);
          return books(desk);
        });
        const [one, other] = await Promise.all(landed);
        expect(other).toEqual(one);
      }),
      15,
    );
  });
});

describe('a row without affiliate', () => {
  const rows = `${header},customer_email
s-1,ann,100.00,USD,2026-01-10,kim@example.com
s-2,,50.00,USD,2026-01-11,KIM@example.com
s-3,,50.00,USD,2026-01-11,stranger@example.com
s-4,,50.00,USD,2026-01-11,
s-5,,oops,USD,2026-01-11,stranger@example.com
s-6,,oops,USD,2026-01-11,
s-7,,oops,USD,2026-01-11,kim@example.com
s-8,nobody,50.00,USD,2026-01-11,
s-9,,50.00,USD
`;
  const source = (unattributed?: string) => ({
    sources: [{ ref: 'own', kind: 'sales_csv', ...(unattributed && { unattributed }) }],
  });

  test.each([undefined, 'reject'])(
    'is rejected in a file of one’s own, unless its customer is known (%s)',
    async (setting) => {
      const { counts } = await (await deskOfAnn(db, source(setting))).land('sales', rows);
      expect(counts).toMatchObject({ rows: 9, recorded: 2, rejected: 7, ignored: 0 });
    },
  );

  test('is ignored where the source says so, whatever else is wrong with it; a known customer’s never is', async () => {
    const desk = await deskOfAnn(db, source('ignore'));
    const { counts, report } = await desk.land('sales', rows);
    expect(counts).toMatchObject({ rows: 9, recorded: 2, rejected: 3, ignored: 4 });
    expect(report.rejected_groups.map((group) => [group.code, group.first_line])).toEqual([
      ['amount-format', 8],
      ['affiliate-unknown', 9],
      ['ragged', 10],
    ]);
  });
});

test('coupons that are no affiliate’s are none, however many there are', async () => {
  const desk = await openDesk(db);
  await desk.land('affiliates', 'ref,name,short_code\nann,Ann,ANN10\n');
  const codes = Array.from({ length: 12_000 }, (_, index) => `CODE${index}`);
  const lines = ['ann10', ...codes, 'ANN10'].map(
    (code, index) => order(index + 1, ['TEE'], { code, note: '' })[0]!,
  );
  const { counts } = await desk.land('sales', shopify(lines));
  expect(counts).toMatchObject({ rows: 12_002, recorded: 2, ignored: 12_000 });
});

function expectation(name: string): string {
  return name.endsWith('.expected.json') ? readFileSync(path.join(fixtures, name), 'utf8') : '';
}
