import { manyDigits } from './event-line.ts';
import type { LogView, StatedAmount } from './log-survey.ts';
import { readNumber } from './numbers.ts';

/** How logs of the bodies of Affonso's POST /v1/events are looked at. */
export const affonsoView: LogView = {
  amountOf: (event, text) => (event.event_type === 'conversion' ? statedAmount(event, text) : undefined),
};

function statedAmount(event: Record<string, unknown>, text: string): StatedAmount | 'unreadable' {
  const { sale_amount: stated, sale_amount_currency: code } = event;
  const currency = typeof code === 'string' ? code.trim().toUpperCase() : '';
  if (typeof stated !== 'number' || currency === '' || manyDigits.test(text)) return 'unreadable';
  const size = readNumber(String(Math.abs(stated)), '.');
  if (!size) return 'unreadable';
  return { currency, amount: stated < 0 ? { ...size, units: -size.units } : size };
}
