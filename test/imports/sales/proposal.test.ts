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
    expect(lines).toContain('not used: "Storno-Art", "Abo"');
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

  test('shows no e-mail address, and long values in part', () => {
    const long = 'x'.repeat(200);
    const { lines } = proposed('Id|Partner|Amount|Date|Notes', `1|ann@example.com|1.50|2026-01-02|${long}`);
    expect(lines.join('\n')).not.toMatch(/@|x{31}/);
  });
});
