import { describe, expect, test } from 'vitest';
import { propose } from '../../../src/imports/sales/proposal.ts';

/** The proposal for a file, given as lines of cells. */
function proposed(...lines: string[]) {
  const [header, ...rows] = lines.map((line) => line.split('|'));
  return propose(header!, rows, 'USD');
}

describe('a proposed mapping', () => {
  test.each([
    [
      'Invoice No.|Partner|Net total|Currency|Paid on|E-mail|SKU|Notes',
      'R-1|ann|1.50|usd|2026-01-02|k@x.io|A|n',
    ],
    [
      'Rechnungs-Nr|Vermittler|Umsatz|Währung|Bezahlt am|Kunden-E-Mail|Artikel|Bemerkung',
      'R-1|ann|1.50|EUR|2026-01-02|k@x.io|A|n',
    ],
    [
      'ORDER #|Coupon Code|Subtotal|Currency Code|Created at|Customer Email|Product ID|Comment',
      '1|A|7|USD|2026-01-02 10:00|k@x.io|A|',
    ],
  ])('goes by the names of the columns, in English and German: %s', (header, row) => {
    const { mapping, missing } = proposed(header, row);
    const names = header.split('|');
    expect(missing).toEqual([]);
    expect(mapping).toEqual({
      external_id: names[0],
      affiliate: names[1],
      amount: names[2],
      currency: names[3],
      occurred_at: names[4],
      customer_email: names[5],
      product_ids: names[6],
      note: names[7],
    });
  });

  test('goes by the values where no name says it, and never against them', () => {
    const { mapping, missing } = proposed(
      'Id|Partner|Wert|Was|Wann|Amount',
      '1|ann|1.50|USD|2026-01-02|many',
    );
    expect(mapping).toMatchObject({ amount: 'Wert', currency: 'Was', occurred_at: 'Wann' });
    expect(missing).toEqual([]);
  });

  test('knows refunds and subscriptions by their columns, and says which columns it does not use', () => {
    const { mapping, lines } = proposed(
      'Id|Partner|Net|Date|Refund of|Storno-Art|Recurring|Abo|',
      '1|ann|1.50|2026-01-02|||yes|Gold|x',
      '2|ann|1.50|2026-01-02|1|full|no|Gold|',
    );
    expect(mapping).toMatchObject({ refund_of: 'Refund of', is_subscription: 'Recurring' });
    expect(lines).toContain('not used: "Abo"');
    expect(lines).toContain(
      'still open: "Storno-Art" may say what was taken back: map it, or leave it out by name',
    );
  });

  test.each([
    ['Status', 'Paid', 'which rows count'],
    ['Zahlungsstatus', 'offen', 'which rows count'],
    ['Outcome', 'Refunded', 'which rows count'],
    ['Type', 'Sale', 'what kind each row is'],
    ['Buchungsart', 'Verkauf', 'what kind each row is'],
    ['What', 'payout', 'what kind each row is'],
    ['Quantity', '3', 'how many were sold'],
    ['Bestellmenge', '3', 'how many were sold'],
    ['Refunded?', 'no', 'what was taken back'],
    ['isRefunded', 'no', 'what was taken back'],
  ])(
    'is not complete while a column that decides what a row means is neither mapped nor left out: %s',
    (name, value, says) => {
      const lines = [`Id|Partner|Amount|Date|${name}`, `1|ann|1.50|2026-01-02|${value}`].map((line) =>
        line.split('|'),
      );
      const [header, ...rows] = lines;
      expect(propose(header!, rows, 'USD').missing).toEqual([
        `"${name}" may say ${says}: map it, or leave it out by name`,
      ]);
      const choice = { mapping: {}, ignore: [name.toUpperCase()] };
      expect(propose(header!, rows, 'USD', choice)).toMatchObject({ missing: [], ignore: choice.ignore });
    },
  );

  test.each(['Start', 'Country', 'Payment method', 'State/Province', 'Statement', 'Accounting'])(
    'does not ask about a column that decides nothing: %s',
    (name) => {
      expect(proposed(`Id|Partner|Amount|Date|${name}`, '1|ann|1.50|2026-01-02|BY').missing).toEqual([]);
    },
  );

  test('maps a status in our words, whatever the headers around it are', () => {
    const { mapping, missing } = proposed(
      'Id|Partner|Betrag|Datum|sales_status',
      '1|ann|1.50|2026-01-02|failed',
    );
    expect(mapping).toMatchObject({ sales_status: 'sales_status', affiliate: 'Partner' });
    expect(missing).toEqual([]);
  });

  test('settles no amount by itself where several columns hold money', () => {
    const { mapping, missing } = proposed(
      'Id|Partner|Date|Gross|Fee|Net',
      '1|ann|2026-01-02|100.00|-3.20|96.80',
    );
    expect(mapping.amount).toBeUndefined();
    expect(missing).toEqual(['which of "Gross", "Fee", "Net" is amount']);
  });

  test('takes the amount that a person chose, and leaves out the others by name', () => {
    const [header, row] = ['Id|Partner|Date|Gross|Fee|Net', '1|ann|2026-01-02|100.00|-3.20|96.80'];
    const choice = { mapping: { amount: '#4' }, ignore: [] };
    expect(propose(header!.split('|'), [row!.split('|')], 'USD', choice)).toMatchObject({
      mapping: { amount: 'Gross' },
      ignore: ['Fee', 'Net'],
      missing: [],
    });
  });

  test('takes the only amount that is left where the others are left out', () => {
    const [header, row] = ['Id|Partner|Date|Net|Tax', '1|ann|2026-01-02|100.00|19.00'];
    const choice = { mapping: {}, ignore: ['Tax'] };
    expect(propose(header!.split('|'), [row!.split('|')], 'USD', choice)).toMatchObject({
      mapping: { amount: 'Net' },
      missing: [],
    });
  });

  test('is left open where two columns fit, and says which', () => {
    const { mapping, missing, lines } = proposed('Id|Partner|Net|Total|Date', '1|ann|1.50|1.79|2026-01-02');
    expect(mapping.amount).toBeUndefined();
    expect(missing).toEqual(['which of "Net", "Total" is amount']);
    expect(lines).toContain('Net      amount?      1.50');
  });

  test('names a column by its place where its name stands twice', () => {
    const { mapping } = proposed('Id|Partner|Value|Date|Land|id', '1|ann|1.50|2026-01-02|DE|');
    expect(mapping).toMatchObject({ external_id: '#1', amount: 'Value' });
  });

  test('without affiliates does with customers, and with neither does not', () => {
    expect(proposed('Id|Amount|Date|Customer no', '1|1.50|2026-01-02|7').missing).toEqual([]);
    expect(proposed('Id|Amount|Date', '1|1.50|2026-01-02').missing).toEqual(['a column for affiliate']);
  });

  test.each([
    ['2026-01-02', 'iso'],
    ['31.12.2026', 'DD.MM.YYYY'],
    ['1.2.26 9:05', 'DD.MM.YY HH:mm'],
    ['13/02/2026 09:05:00', 'DD/MM/YYYY HH:mm:ss'],
    ['02/13/2026', 'MM/DD/YYYY'],
    ['02/03/2026', undefined],
  ])('reads the style of dates off the values: %s', (date, format) => {
    const { date_format: found, missing } = proposed('Id|Partner|Amount|Date', `1|ann|1.50|${date}`);
    expect([found, missing]).toEqual([format, []]);
  });

  test.each([
    ['1.50', '.'],
    ['1,50', ','],
    ['1.234,50', ','],
    ['1,234.5', '.'],
    ['1,234', undefined],
    ['15', undefined],
  ])('reads the decimal mark off the values: %s', (amount, decimal) => {
    expect(proposed('Id|Partner|Amount|Date', `1|ann|${amount}|2026-01-02`).decimal).toBe(decimal);
  });

  test('takes the currency of the programme in sight where no column has one', () => {
    const { defaults, lines } = proposed('Id|Partner|Amount|Date', '1|ann|1.50|2026-01-02');
    expect(defaults).toEqual({ currency: 'USD' });
    expect(lines).toContain('with decimal "."; date_format "iso"; currency USD, the programme\'s');
  });

  test.each([
    ['Amount (EUR)', '1.50', 'EUR', 'as "Amount (EUR)" says'],
    ['Betrag €', '1.50', 'EUR', 'as "Betrag €" says'],
    ['Umsatz EUR', '1.50', 'EUR', 'as "Umsatz EUR" says'],
    ['net_amount_gbp', '1.50', 'GBP', 'as "net_amount_gbp" says'],
    ['Subtotal ($)', '1.50', 'USD', 'as "Subtotal ($)" says'],
    ['Amount', '1.50 €', 'EUR', 'as "€" beside the amounts says'],
  ])('takes the currency that the amounts have: %s, %s', (header, amount, currency, why) => {
    const { mapping, defaults, missing, lines } = proposed(
      `Id|Partner|${header}|Date`,
      `1|ann|${amount}|2026-01-02`,
    );
    expect([mapping.amount, defaults, missing]).toEqual([header, { currency }, []]);
    expect(lines.join()).toContain(`currency ${currency}, ${why}`);
    expect(lines.join()).not.toContain("the programme's");
  });

  test('leaves the currency open where the amounts have a sign of several, none of them the programme’s', () => {
    expect(proposed('Id|Partner|Amount (kr)|Date', '1|ann|1.50|2026-01-02')).toMatchObject({
      defaults: {},
      missing: ['which currency "kr" is'],
    });
  });

  test('shows no e-mail address, and long values in part', () => {
    const long = 'x'.repeat(200);
    const { lines } = proposed('Id|Partner|Amount|Date|Notes', `1|ann@example.com|1.50|2026-01-02|${long}`);
    expect(lines.join('\n')).not.toMatch(/@|x{31}/);
  });
});
