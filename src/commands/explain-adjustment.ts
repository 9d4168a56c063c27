import { showId } from '../ids.ts';
import type { AdjustmentStory } from '../ledger/explain/adjustment.ts';
import { formatAmount, showAmount } from '../money.ts';
import { showInstant } from '../time.ts';
import type { Explanation } from './explain-words.ts';
import { runText } from './explain-words.ts';
import { pairs, sentences, words } from './render.ts';

/** An adjustment in words: who gave or took what, why, and where it is. */
export function explainAdjustment(story: AdjustmentStory): Explanation {
  const { adjustment, commission, affiliate, program, run, payout } = story;
  const zone = program.timezone;
  const id = showId('commission', adjustment.id);
  const amount = showAmount(adjustment.amount, adjustment.currency);
  const state = [
    payout
      ? `In the payout ${payout.reference} (${showId('payout', payout.id)}), which is ${payout.status}.`
      : `It is ${words(commission.status)}, and in no payout yet.`,
    `Its status is ${words(commission.status)} since ${showInstant(commission.status_at, zone)}, by ${runText(run, zone)}.`,
  ];
  return {
    title: (paint) => `${paint.bold(`Adjustment ${id}`)}  ${amount}  ${words(commission.status)}`,
    parts: [
      {
        heading: 'What it is',
        lines: (paint) =>
          pairs(paint, [
            ['affiliate', `${affiliate.name} (${affiliate.ref}), ${affiliate.status}`],
            ['programme', `${program.name} (${program.ref})`],
            ['reason', adjustment.reason],
            ['made by', `${adjustment.made_by}, ${showInstant(adjustment.made_at, zone)}`],
          ]),
      },
      { heading: 'Where it is', lines: () => sentences(state) },
    ],
    data: {
      kind: 'adjustment',
      commission: id,
      amount: formatAmount(adjustment.amount, adjustment.currency),
      currency: adjustment.currency,
      status: commission.status,
      affiliate: showId('affiliate', affiliate.id),
      affiliate_ref: affiliate.ref,
      program: program.ref,
      reason: adjustment.reason,
      made_by: adjustment.made_by,
      made_at: adjustment.made_at,
      payout: payout ? showId('payout', payout.id) : null,
      payout_reference: payout?.reference ?? null,
      explanation: { state },
    },
  };
}
