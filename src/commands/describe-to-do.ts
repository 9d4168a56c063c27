import type { ToDo } from '../ledger/to-do.ts';
import { showCount } from '../money.ts';
import { localDay } from '../time.ts';
import { width } from './layout.ts';
import { type Paint, section, sentences, showDecimal } from './render.ts';

/** One of them, and several. */
const names: Record<ToDo['what'], [one: string, many: string]> = {
  batches_to_approve: ['payout batch to approve', 'payout batches to approve'],
  second_approvals: [
    'payout batch that a second person has to approve',
    'payout batches that a second person has to approve',
  ],
  commissions_to_approve: ['commission to approve', 'commissions to approve'],
  rejected_rows: ['rejected row to correct', 'rejected rows to correct'],
  conflicts: ['conflict to decide', 'conflicts to decide'],
  parked_rows: [
    'row that waits for its sale or customer to be known',
    'rows that wait for their sale or customer to be known',
  ],
  long_disputes: [
    'commission held by a dispute for more than 60 days',
    'commissions held by disputes for more than 60 days',
  ],
  payouts_without_answer: [
    'payout that was exported and has no answer',
    'payouts that were exported and have no answer',
  ],
};

const widest = 76;

/** What waits for a person: two lines or three each, with the command that shows or does it. */
export function describeToDo(paint: Paint, list: ToDo[]): string {
  if (list.length === 0) return paint.good('Nothing waits for a person.');
  const lines = list.flatMap(({ what, count, amounts, since, command }) => {
    const sums = Object.entries(amounts).map(([currency, amount]) => showDecimal(amount, currency));
    const name = `${showCount(count)} ${names[what][count === 1 ? 0 : 1]}`;
    const days = since === null ? [] : [`since ${localDay(new Date(since), paint.zone)}`];
    const told = [name, ...days].join(', ');
    const fits = width([told, ...sums].join(', ')) <= widest;
    return [
      paint.warn(fits ? [told, ...sums].join(', ') : told),
      ...(fits ? [] : [`    ${sums.join(', ')}`]),
      `    ${paint.dim(command)}`,
    ];
  });
  return section(paint, 'For a person to do', sentences(lines));
}
