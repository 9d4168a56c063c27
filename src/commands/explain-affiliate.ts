import { showId } from '../ids.ts';
import type { AffiliateStory } from '../ledger/explain/affiliate.ts';
import { formatAmount, formatPercent, showAmount } from '../money.ts';
import { showInstant } from '../time.ts';
import { describeEquation, toAmounts } from './describe-balances.ts';
import type { Explanation } from './explain-words.ts';
import { leftOutText } from './explain-words.ts';
import { pairs, sentences, table, words } from './render.ts';

/** An affiliate in words: its balances, its latest payouts, and why it was not paid. */
export function explainAffiliate(story: AffiliateStory): Explanation {
  const { affiliate, balances, payouts } = story;
  const obstacles = obstaclesOf(story);
  const leftOut = leftOutTexts(story);
  return {
    title: (paint) => `${paint.bold(`Affiliate ${affiliate.name}`)}  ${affiliate.ref}  ${affiliate.status}`,
    parts: [
      {
        heading: 'Who it is',
        lines: (paint) =>
          pairs(paint, [
            ['id', showId('affiliate', affiliate.id)],
            ['short code', affiliate.short_code ?? undefined],
            [
              'own percentage',
              affiliate.override_ppm === null ? undefined : `${formatPercent(affiliate.override_ppm)} %`,
            ],
            ['paid by', affiliate.payout_method ?? 'nothing yet'],
          ]),
      },
      { heading: 'Balances', lines: (paint) => describeEquation(paint, balances) },
      ...(payouts.length > 0
        ? [
            {
              heading: 'Latest payouts',
              lines: (paint: Parameters<typeof table>[0]) => payoutTable(paint, story),
            },
          ]
        : []),
      ...(leftOut.length > 0
        ? [{ heading: 'Last left out of a payout', lines: () => sentences(leftOut) }]
        : []),
      ...(obstacles.length > 0
        ? [{ heading: 'What stands in the way', lines: () => sentences(obstacles) }]
        : []),
    ],
    data: {
      kind: 'affiliate',
      affiliate: showId('affiliate', affiliate.id),
      ref: affiliate.ref,
      name: affiliate.name,
      status: affiliate.status,
      payout_method: affiliate.payout_method,
      balances: balances.map(toAmounts),
      payouts: payouts.map((payout) => ({
        payout: showId('payout', payout.id),
        reference: payout.reference,
        status: payout.status,
        amount: formatAmount(payout.amount, payout.currency),
        currency: payout.currency,
        lines: payout.lines,
      })),
      left_out: story.leftOut.map((one) => ({
        run: showId('run', one.runId),
        as_of: one.asOf,
        reason: one.reason,
        amount: formatAmount(one.amount, one.currency),
        currency: one.currency,
        lines: one.lines,
      })),
      explanation: { left_out: leftOut, obstacles },
    },
  };
}

function payoutTable(paint: Parameters<typeof table>[0], { payouts }: AffiliateStory): string {
  const rows = payouts.map((payout) => [
    payout.reference,
    payout.status,
    String(payout.lines),
    showAmount(payout.amount, payout.currency),
  ]);
  const right = (title: string) => ({ title, align: 'right' as const });
  return table(
    paint,
    [{ title: 'reference' }, { title: 'status' }, right('commissions'), right('amount')],
    rows,
  );
}

function leftOutTexts({ leftOut, programs }: AffiliateStory): string[] {
  return leftOut.map((one) => {
    const program = programs.find((candidate) => candidate.id === one.programId);
    if (!program) return `${words(one.reason)}.`;
    return `${showInstant(one.asOf, program.timezone)}, ${program.ref}: ${leftOutText(one, program)}.`;
  });
}

function obstaclesOf({ affiliate }: AffiliateStory): string[] {
  const obstacles: string[] = [];
  if (affiliate.status === 'pending') obstacles.push('It is not active yet: it earns, but is not paid.');
  if (affiliate.status === 'paused') obstacles.push('It is paused: it earns nothing new, and is not paid.');
  if (affiliate.status === 'banned') obstacles.push('It is banned: it earns nothing new, and is not paid.');
  if (!affiliate.payout_method || !affiliate.payout_destination)
    obstacles.push('It has no payout method or destination.');
  return obstacles;
}
