import { showId } from '../ids.ts';
import type { ParkedStory } from '../ledger/explain/parked.ts';
import { formatAmount, showAmount } from '../money.ts';
import { showInstant } from '../time.ts';
import type { Explanation } from './explain-words.ts';
import { pairs, sentences } from './render.ts';

/** What is parked, in words: where it came from, and what it waits for. */
export function explainParked(story: ParkedStory): Explanation {
  const { kind, external_id, sale_external_id, amount, currency, code, import_id, file, line, since } = story;
  const money = amount === null || currency === null ? undefined : showAmount(amount, currency);
  const noun = { refund: 'Refund', dispute: 'Dispute', event: 'Event', entry: 'Conversion entry' }[kind];
  const state = [
    stateOf(story),
    kind === 'entry'
      ? 'It is tried again every night.'
      : 'It is tried again after every import, and every night.',
  ];
  return {
    title: (paint) => [paint.bold(`${noun} ${external_id}`), ...(money ? [money] : []), 'parked'].join('  '),
    parts: [
      {
        heading: 'What it is',
        lines: (paint) =>
          pairs(paint, [
            ['sale', sale_external_id ?? undefined],
            ['from', `${file}${line > 0 ? `, line ${line}` : ''} (${showId('import', import_id)})`],
            ['since', showInstant(since, paint.zone)],
          ]),
      },
      { heading: 'Where it is, and why', lines: () => sentences(state) },
    ],
    data: {
      kind: `parked_${kind}`,
      external_id,
      sale: sale_external_id,
      amount: amount === null || currency === null ? null : formatAmount(amount, currency),
      currency,
      code,
      import: showId('import', import_id),
      file,
      line,
      since,
      explanation: { state },
    },
  };
}

function stateOf({ kind, sale_external_id: sale, code }: ParkedStory): string {
  if (kind === 'event') return 'It is not recorded yet: nobody knows the customer that it names.';
  if (kind === 'entry')
    return 'Nobody is credited yet: its contact is not known as a customer whom an affiliate brought.';
  if (code !== null) return `It is not booked, because it does not fit the sale "${sale}" (${code}).`;
  return `It is not booked yet: no sale "${sale}" is recorded.`;
}
