import { choices } from '../faults.ts';
import { shownFault } from '../preview-rows.ts';
import { readNumber } from '../values/numbers.ts';
import { eventReader } from './event-line.ts';
import type { LogReading } from './event-log.ts';
import { manyDigits } from './exact-amount.ts';
import { cellsOf, type FieldKeys } from './log-cells.ts';
import type { LogView, StatedAmount } from './log-survey.ts';

const fields: readonly FieldKeys[] = [
  ['event_type', 'event_type'],
  ['event_name', 'event_name'],
  ['external_id', 'external_event_id'],
  ['affiliate', 'metadata.affiliate_id'],
  ['referral_id', 'referral_id'],
  ['customer_id', 'customer_id'],
  ['external_user_id', 'external_user_id'],
  ['click_id', 'click_id'],
  ['amount', 'sale_amount'],
  ['currency', 'sale_amount_currency'],
  ['occurred_at', 'occurred_at'],
  ['product_ids', 'product_ids'],
  ['price_ids', 'price_ids'],
  ['interval', 'interval'],
  ['is_subscription', 'is_subscription'],
];

/** How logs of the bodies of Affonso's POST /v1/events are looked at. */
export function affonsoView({ program, settings, rates, receivedAt }: LogReading): LogView {
  const { timezone, id_prefix: idPrefix } = settings;
  const read = eventReader({ program, timezone, idPrefix, rates, receivedAt });
  return {
    typeOf: ({ event_type: type }) => String(type ?? 'milestone'),
    reads: (type) => choices.event_type!.includes(type),
    amountOf: (event, text) => (event.event_type === 'conversion' ? statedAmount(event, text) : undefined),
    rowOf(line) {
      const event = read(line);
      const fault = shownFault(event);
      return { line: line.line, cells: cellsOf(line.text, [], fields, fault ? undefined : event), fault };
    },
  };
}

function statedAmount(event: Record<string, unknown>, text: string): StatedAmount | 'unreadable' {
  const { sale_amount: stated, sale_amount_currency: code } = event;
  const currency = typeof code === 'string' ? code.trim().toUpperCase() : '';
  if (typeof stated !== 'number' || currency === '' || manyDigits.test(text)) return 'unreadable';
  const size = readNumber(String(Math.abs(stated)), '.');
  if (!size) return 'unreadable';
  return { currency, amount: stated < 0 ? { ...size, units: -size.units } : size };
}
