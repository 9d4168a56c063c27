import { lessParts } from './amount.ts';
import { dayReader, momentOf } from './paypal-times.ts';
import type { Column, Preset, PresetFile, PresetReader } from './shape.ts';

/** How an activity report in one language calls its columns, types and states. */
export interface PaypalWords {
  columns: Record<PaypalColumn, string[]>;
  decimal: '.' | ',';
  /** Types by which a customer pays, and by which a customer gets money back. */
  isSale: RegExp;
  isRefund: RegExp;
  /** States in which the money has moved, in lower case; refunded ones too, because refunds have rows of their own. */
  done: readonly string[];
}

export type PaypalColumn =
  | 'date'
  | 'time'
  | 'zone'
  | 'type'
  | 'status'
  | 'currency'
  | 'gross'
  | 'id'
  | 'from'
  | 'shipping'
  | 'tax'
  | 'custom'
  | 'invoice'
  | 'reference'
  | 'impact';

const required: PaypalColumn[] = ['date', 'time', 'zone', 'type', 'status', 'currency', 'gross', 'id'];

/**
 * PayPal's activity report. Its sales are completed payments received; payouts, transfers, conversions between
 * currencies, holds and memo rows, which never moved money, are ignored. The commission's base is the gross less
 * shipping and sales tax, where the report has them. A partner is found by `Custom Number`, which a checkout passes
 * through, where it is an affiliate's name, else by the customer's e-mail. The day is read with the time and the time
 * zone of the row. A refund names its sale by the reference; one that does not tell its shipping and tax where the sale
 * did is more than the sale's base, and rejected. Transaction ids need no prefix.
 */
export function paypalActivity(
  name: Preset['name'],
  title: string,
  { columns, decimal, isSale, isRefund, done }: PaypalWords,
): Preset {
  return {
    name,
    title,
    headers: required.map((one) => columns[one]),
    mapping: {
      external_id: columns.id,
      currency: columns.currency,
      customer_email: columns.from,
      note: columns.invoice,
    },
    makes: ['affiliate', 'amount', 'occurred_at', 'refund_of'],
    reader(file): PresetReader {
      const of = columnsOf(file, columns);
      const days = dayReader(file.dateFormat);
      const isMoney = (cells: string[]) =>
        done.includes(of.status(cells).toLowerCase()) && of.impact(cells).toLowerCase() !== 'memo';
      return {
        survey: { look: (cells) => days.look(of.date(cells)), settle: () => days.settle(name) },
        read(cells, onTwice) {
          const isOut = of.gross(cells).startsWith('-');
          if (!isMoney(cells) || !(isOut ? isRefund : isSale).test(of.type(cells))) return undefined;
          const [gross, ...parts] = [of.gross(cells), of.shipping(cells), of.tax(cells)].map((text) =>
            text.replace('-', ''),
          );
          const currency = of.currency(cells).toUpperCase();
          return [
            '',
            lessParts(gross!, parts, currency, decimal),
            momentOf({ day: days.read(of.date(cells)), time: of.time(cells), zone: of.zone(cells) }, onTwice),
            isOut ? of.reference(cells) : '',
          ];
        },
        hints: (cells) => [of.custom(cells)],
      };
    },
  };
}

function columnsOf(file: PresetFile, columns: PaypalWords['columns']): Record<PaypalColumn, Column> {
  const found = Object.entries(columns).map(([key, names]) => [key, file.column(...names)]);
  return Object.fromEntries(found) as Record<PaypalColumn, Column>;
}
