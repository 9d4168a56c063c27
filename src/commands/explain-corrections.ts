import { showId } from '../ids.ts';
import type { SaleStory } from '../ledger/explain/sale.ts';
import { formatAmount, showAmount } from '../money.ts';
import { showInstant } from '../time.ts';
import { words } from './render.ts';

type Corrected = SaleStory['corrections'][number];

/** What corrected a sale, who decided it, and what was booked for it; a sentence each. */
export function correctionTexts({ corrections, commission, program }: SaleStory): string[] {
  if (!commission) return [];
  const at = (instant: Date | null | undefined) =>
    instant ? showInstant(instant, program.timezone) : 'an unknown moment';
  return corrections.map(({ correction, line, payout, ...cause }) => {
    const { by, why, when, what } = decisionOf(cause);
    const change =
      correction.earned === 0n
        ? 'it earns as much as before'
        : `it earns ${showAmount(correction.earned < 0n ? -correction.earned : correction.earned, commission.currency)} ${correction.earned < 0n ? 'less' : 'more'}`;
    const where = payout
      ? `in the payout ${payout.reference}, which is ${payout.status}`
      : words(line?.status ?? '');
    const booked = line
      ? `booked as ${showAmount(line.amount, line.currency)} (${showId('commission', line.id)}, ${where})`
      : 'nothing was booked';
    return `${at(when)}: ${what}, by ${by}${why ? ` (${why})` : ''}; ${change}, ${booked}.`;
  });
}

/** The same for programs. */
export function correctionData({ corrections, commission }: SaleStory) {
  return corrections.map(({ correction, line, payout, ...cause }) => ({
    earned: formatAmount(correction.earned, commission!.currency),
    conflict: correction.conflict_id ? showId('conflict', correction.conflict_id) : null,
    import: correction.import_id ? showId('import', correction.import_id) : null,
    by: decisionOf(cause).by,
    reason: decisionOf(cause).why,
    at: decisionOf(cause).when,
    commission: line
      ? {
          commission: showId('commission', line.id),
          amount: formatAmount(line.amount, line.currency),
          currency: line.currency,
          status: line.status,
          payout_reference: payout?.reference ?? null,
        }
      : null,
  }));
}

function decisionOf({ conflict, import: file }: Pick<Corrected, 'conflict' | 'import'>) {
  if (conflict)
    return {
      by: conflict.decided_by ?? 'somebody',
      why: conflict.reason,
      when: conflict.decided_at,
      what: `the version of ${showId('conflict', conflict.id)} was accepted`,
    };
  return {
    by: file?.undone_by ?? 'somebody',
    why: file?.undone_reason ?? null,
    when: file?.undone_at ?? null,
    what: file ? `the import ${file.file} (${showId('import', file.id)}) was undone` : 'an import was undone',
  };
}
