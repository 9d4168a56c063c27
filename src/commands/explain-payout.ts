import { showId } from '../ids.ts';
import type { PayoutStory } from '../ledger/explain/payout.ts';
import { formatAmount, showAmount } from '../money.ts';
import { showShort } from '../time.ts';
import type { Explanation } from './explain-words.ts';
import { payoutNext, periodText, runText } from './explain-words.ts';
import { pairs, plural } from './render.ts';

/** A payout in words: who gets what, what happened to it and when, and what remains. */
export function explainPayout(story: PayoutStory): Explanation {
  const { payout, batch, affiliate, program, run, lines, carried } = story;
  const zone = program.timezone;
  const timeline = timelineOf(story);
  const next = payoutNext(payout, batch, program, affiliate);
  return {
    title: (paint) =>
      `${paint.bold(`Payout ${payout.reference}`)}  ${showAmount(payout.amount, payout.currency)}  ${payout.status}`,
    parts: [
      {
        heading: 'What it is',
        lines: (paint) =>
          pairs(paint, [
            ['id', showId('payout', payout.id)],
            ['batch', `${showId('batch', batch.id)}, ${batch.status}`],
            ['to', `${payout.payee_name} (${affiliate.ref}), by ${payout.method}`],
            ['programme', `${program.name} (${program.ref})`],
            ['period', periodText(batch, zone)],
            [
              'prepared with',
              `${plural(payout.lines, 'commission')}, ${showAmount(payout.amount, payout.currency)}`,
            ],
            [
              'in it now',
              `${plural(lines.count, 'commission')}, ${showAmount(lines.amount, payout.currency)}`,
            ],
            [
              'carried on',
              carried === 0n
                ? undefined
                : `${showAmount(carried, payout.currency)}, for the next payout: ${payout.method} pays whole ${payout.currency} only`,
            ],
            ["provider's reference", payout.provider_reference ?? undefined],
            ['reason', payout.reason ?? undefined],
          ]),
      },
      {
        heading: `What happened (${zone})`,
        lines: (paint) =>
          pairs(
            paint,
            timeline.map(({ at, what }) => [showShort(at, zone), what]),
          ),
      },
      { heading: 'Where it is', lines: () => `It is ${payout.status}, by ${runText(run, zone)}.` },
      ...(next ? [{ heading: 'What remains to happen', lines: () => next }] : []),
    ],
    data: {
      kind: 'payout',
      payout: showId('payout', payout.id),
      reference: payout.reference,
      status: payout.status,
      amount: formatAmount(payout.amount, payout.currency),
      currency: payout.currency,
      method: payout.method,
      affiliate: showId('affiliate', affiliate.id),
      affiliate_ref: affiliate.ref,
      program: program.ref,
      batch: showId('batch', batch.id),
      batch_status: batch.status,
      period_start: batch.period_start,
      period_end: batch.period_end,
      lines: lines.count,
      lines_amount: formatAmount(lines.amount, payout.currency),
      carried: formatAmount(carried, payout.currency),
      provider_reference: payout.provider_reference,
      reason: payout.reason,
      run: run ? showId('run', run.id) : null,
      timeline,
      next: next ?? null,
    },
  };
}

/** What is known to have happened, in order of time. */
function timelineOf({ payout, batch, program, preparedRun }: PayoutStory): { at: Date; what: string }[] {
  const events = [
    {
      at: batch.prepared_at,
      what: `prepared by ${batch.prepared_by}, in ${runText(preparedRun, program.timezone)}`,
    },
  ];
  if (batch.first_approved_at)
    events.push({
      at: batch.first_approved_at,
      what: `approved by ${batch.first_approved_by}, the first of two`,
    });
  if (batch.approved_at) {
    const by = batch.approved_by === 'automatic' ? 'automatically' : `by ${batch.approved_by}`;
    events.push({ at: batch.approved_at, what: `approved ${by}` });
  }
  if (batch.exported_at) {
    const files = (batch.export_files ?? []).map((file) => file.name).join(', ');
    events.push({ at: batch.exported_at, what: `exported as ${batch.export_format}: ${files}` });
  }
  const { status, status_at: at } = payout;
  if (status === 'paid')
    events.push({ at, what: `paid under ${payout.provider_reference}, as ${payout.settled_by} says` });
  if (status === 'failed' || status === 'returned' || status === 'canceled')
    events.push({ at, what: `${status}: ${payout.reason ?? 'no reason is known'}` });
  return events;
}
