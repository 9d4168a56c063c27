import { firstIdOf, showId } from '../ids.ts';
import type { AffiliateDetails } from '../ledger/affiliates.ts';
import { heldAccounts } from '../ledger/balances.ts';
import { formatAmount, showAmount, showBare, showCount } from '../money.ts';
import { localDay } from '../time.ts';
import { toAmounts } from './describe-balances.ts';
import { heldText } from './describe-held.ts';
import { leftOutText, scheduleText } from './explain-words.ts';
import { type Paint, pairs, paragraphs, section, sentences, table, words } from './render.ts';

/** An affiliate as JSON. */
export function affiliateData(details: AffiliateDetails) {
  const { affiliate, balances, payouts, commissions } = details;
  return {
    affiliate: showId('affiliate', affiliate.id),
    ref: affiliate.ref,
    name: affiliate.name,
    short_code: affiliate.short_code,
    status: affiliate.status,
    payout_method: affiliate.payout_method,
    payout_destination: masked(affiliate.payout_destination),
    balances: balances.map(toAmounts),
    not_paid_because: whyNotPaid(details),
    commissions: commissions.map((one) => ({
      commission: showId('commission', one.id),
      sale: one.sale,
      amount: formatAmount(one.amount, one.currency),
      currency: one.currency,
      state: one.state,
      hold_until: one.holdUntil,
      payout: one.payout,
      reason: one.note,
    })),
    payouts: payouts.map((payout) => ({
      payout: showId('payout', payout.id),
      reference: payout.reference,
      status: payout.status,
      status_at: payout.status_at,
      commissions: payout.lines,
      amount: formatAmount(payout.amount, payout.currency),
      currency: payout.currency,
      reason: payout.reason,
    })),
  };
}

/** An affiliate for people. */
export function describeAffiliate(paint: Paint, details: AffiliateDetails): string {
  const { affiliate, commissions, payouts } = details;
  return paragraphs(
    sentences([`${paint.bold(affiliate.name)}  ${affiliate.ref}  ${affiliate.status}`]),
    pairs(paint, [
      ['id', showId('affiliate', affiliate.id)],
      ['short code', affiliate.short_code ?? undefined],
      ['paid by', affiliate.payout_method ?? 'nothing yet'],
      ['to', masked(affiliate.payout_destination) ?? undefined],
    ]),
    whyNotPaid(details),
    section(paint, 'Balances', (inner) => balanceTable(inner, details)),
    commissions.length === 0
      ? ''
      : section(paint, 'Latest commissions', (inner) => commissionTable(inner, details)),
    payouts.length === 0 ? '' : section(paint, 'Latest payouts', (inner) => payoutTable(inner, details)),
    sentences([
      paint.dim(`payrun commissions list --affiliate ${affiliate.ref}`),
      paint.dim(`payrun explain ${affiliate.ref}`),
    ]),
  );
}

const right = (title: string) => ({ title, align: 'right' as const });

function balanceTable(paint: Paint, { balances }: AffiliateDetails): string {
  if (balances.length === 0) return 'Nothing has been earned yet.';
  const states = [
    ...heldAccounts.filter((state) => balances.some((one) => one[state] !== 0n)),
    'earned',
  ] as const;
  return table(
    paint,
    [{ title: 'in' }, ...states.map((state) => right(words(state)))],
    balances.map((one) => [one.currency, ...states.map((state) => showBare(one[state], one.currency))]),
  );
}

function commissionTable(paint: Paint, { commissions }: AffiliateDetails): string {
  return table(
    paint,
    [{ title: 'sale' }, right('amount'), { title: 'state' }, { title: 'due' }, { title: 'payout or reason' }],
    commissions.map((one) => [
      one.sale ?? '',
      showAmount(one.amount, one.currency),
      words(one.state),
      localDay(one.holdUntil, one.zone),
      one.note ?? one.payout ?? '',
    ]),
  );
}

function payoutTable(paint: Paint, { payouts }: AffiliateDetails): string {
  return table(
    paint,
    [{ title: 'reference' }, { title: 'status' }, { title: 'since' }, right('commissions'), right('amount')],
    payouts.map((payout) => [
      payout.reference,
      payout.status,
      localDay(payout.status_at, paint.zone),
      showCount(payout.lines),
      showAmount(payout.amount, payout.currency),
    ]),
  );
}

/** Enough of where the money goes to know it again: an address without its name, the end of an account number. */
function masked(destination: string | null): string | null {
  if (destination === null || destination === '') return null;
  const at = destination.lastIndexOf('@');
  return at > 0 ? `${destination[0]}…${destination.slice(at)}` : `…${destination.slice(-4)}`;
}

/** One sentence: why what is owed has not been paid. */
function whyNotPaid(details: AffiliateDetails): string {
  const { affiliate, payouts, programs, held, nextHoldEnd } = details;
  const [pending, awaiting, ready, leaving] = (['pending', 'awaiting', 'ready', 'in_payout'] as const).map(
    (state) => sumOf(details, state),
  );
  if (!(pending || awaiting || ready || leaving)) return 'Nothing is owed.';
  if (affiliate.status !== 'active') {
    const what = affiliate.status === 'pending' ? 'is not active yet' : `is ${affiliate.status}`;
    return `It is not paid, because the affiliate ${what}.`;
  }
  if (!affiliate.payout_method || !affiliate.payout_destination)
    return 'It can’t be paid, because it has no payout method or destination.';
  const leftOut = leftOutSince(details);
  if (leftOut) return leftOut;
  const [first] = held;
  if (first)
    return `${showAmount(first.amount, first.currency)} does not move, because ${heldText(first.reason)}.`;
  if (ready) return `${ready} is ready and goes into the next payout, ${scheduleText(programs[0]!)}.`;
  const live = payouts.find(({ status }) => ['draft', 'approved', 'exported'].includes(status));
  if (leaving && live)
    return `It is on its way: payout ${live.reference} is ${live.status === 'draft' ? 'a draft' : live.status}${live.status === 'exported' ? ', and nothing has come back yet' : ''}.`;
  if (awaiting) return `${awaiting} awaits the approval of a person.`;
  const zone = programs[0]?.timezone ?? 'UTC';
  return `Nothing is ready yet${nextHoldEnd === null ? '' : `; the first hold ends on ${localDay(nextHoldEnd, zone)}`}.`;
}

/** What is owed in a state, in words; empty where nothing is. */
function sumOf(
  { balances }: AffiliateDetails,
  state: 'pending' | 'awaiting' | 'ready' | 'in_payout',
): string {
  const owed = balances.filter((one) => one[state] > 0n);
  return owed.map((one) => showAmount(one[state], one.currency)).join(' and ');
}

/** Why something that is ready was left out the last time that it could have been in a payout. */
function leftOutSince({ balances, payouts, leftOut, programs }: AffiliateDetails): string | undefined {
  const last = leftOut.find(
    ({ currency, at }) =>
      balances.some((one) => one.currency === currency && one.ready > 0n) &&
      !payouts.some((payout) => payout.currency === currency && payout.id > firstIdOf(at)),
  );
  const program = programs.find((one) => one.id === last?.programId);
  if (!last || !program) return undefined;
  const ready = balances.find((one) => one.currency === last.currency)!.ready;
  const day = localDay(last.asOf, program.timezone);
  return `${showAmount(ready, last.currency)} is ready and was left out on ${day}, because ${leftOutText(last, program)}.`;
}
