import { showId } from '../ids.ts';
import { readableDifference } from '../ledger/conflicts.ts';
import type { SaleStory } from '../ledger/explain/sale.ts';
import { givenId } from '../ledger/take-back.ts';
import { formatAmount, formatPercent, showAmount } from '../money.ts';
import { showInstant } from '../time.ts';
import { amountText } from './explain-amount.ts';
import { correctionData, correctionTexts } from './explain-corrections.ts';
import { disputeTexts, refundData, refundTexts } from './explain-refunds.ts';
import type { Explanation } from './explain-words.ts';
import { leftOutText, payoutNext, runText, scheduleText } from './explain-words.ts';
import { pairs, sentences, words } from './render.ts';

/** A sale and its commission in words, as of `now`. */
export function explainSale(story: SaleStory, now: Date): Explanation {
  const { conversion, commission, affiliate, program, run, payout, conflicts } = story;
  const at = (instant: Date) => showInstant(instant, program.timezone);
  const state = stateText(story, now);
  const amount = amountText(story);
  const next = nextText(story, now);
  const origin = originText(story);
  const refunds = refundTexts(story);
  const disputes = disputeTexts(story);
  const corrections = correctionTexts(story);
  const externalId = givenId(conversion.external_id);
  return {
    title: (paint) =>
      commission
        ? `${paint.bold(`Commission ${showId('commission', commission.id)}`)}  ${showAmount(commission.amount, commission.currency)}  ${words(commission.status)}`
        : `${paint.bold(`Conversion ${showId('conversion', conversion.id)}`)}  no commission`,
    parts: [
      {
        heading: 'The sale',
        lines: (paint) =>
          pairs(paint, [
            ['external id', externalId],
            ['amount', showAmount(conversion.amount, conversion.currency)],
            ['when', at(conversion.occurred_at)],
            ['status', words(conversion.sales_status)],
            ['counts no more', conversion.taken_back ?? undefined],
            ['affiliate', `${affiliate.name} (${affiliate.ref}), ${affiliate.status}`],
            ['programme', `${program.name} (${program.ref})`],
            ['came from', origin],
          ]),
      },
      { heading: 'Where it is, and why', lines: () => sentences(state) },
      ...(commission ? [{ heading: 'Why this amount', lines: () => sentences(amount) }] : []),
      ...(refunds.length > 0 ? [{ heading: 'What was refunded', lines: () => sentences(refunds) }] : []),
      ...(disputes.length > 0 ? [{ heading: 'Disputes', lines: () => sentences(disputes) }] : []),
      ...(corrections.length > 0 ? [{ heading: 'Corrections', lines: () => sentences(corrections) }] : []),
      ...(next.length > 0 ? [{ heading: 'What remains to happen', lines: () => sentences(next) }] : []),
      ...(conflicts.length > 0
        ? [{ heading: 'Came again with other facts', lines: () => sentences(conflictTexts(story)) }]
        : []),
    ],
    data: {
      kind: 'sale',
      conversion: showId('conversion', conversion.id),
      external_id: externalId,
      taken_back: conversion.taken_back,
      amount: formatAmount(conversion.amount, conversion.currency),
      currency: conversion.currency,
      occurred_at: conversion.occurred_at,
      sales_status: conversion.sales_status,
      affiliate: showId('affiliate', affiliate.id),
      affiliate_ref: affiliate.ref,
      program: program.ref,
      file: story.import?.file ?? null,
      line: conversion.line,
      import: showId('import', conversion.import_id),
      commission: commission
        ? {
            commission: showId('commission', commission.id),
            amount: formatAmount(commission.amount, commission.currency),
            currency: commission.currency,
            status: commission.status,
            since: commission.status_at,
            run: run ? showId('run', run.id) : null,
            job: run?.job ?? null,
            hold_days: commission.hold_days,
            hold_until: commission.hold_until,
            rate_percent: commission.rate_ppm === null ? null : formatPercent(commission.rate_ppm),
            incentive: story.incentive?.ref ?? null,
            overridden: commission.overridden,
            rounding: commission.rounding,
            fx: commission.fx_rate
              ? { rate: commission.fx_rate, day: commission.fx_day, source: commission.fx_source }
              : null,
            payout: payout ? showId('payout', payout.id) : null,
            payout_reference: payout?.reference ?? null,
          }
        : null,
      ...refundData(story),
      corrections: correctionData(story),
      explanation: { state, amount, refunds, disputes, corrections, next, conflicts: conflictTexts(story) },
    },
  };
}

function stateText(story: SaleStory, now: Date): string[] {
  const { conversion, commission, program, run, payout, leftOut } = story;
  if (!commission)
    return [`It earned no commission: ${conversion.no_commission_reason ?? 'no reason is known'}.`];
  const at = (instant: Date) => showInstant(instant, program.timezone);
  const days = commission.hold_days === 1 ? '1 day' : `${commission.hold_days} days`;
  const hold = commission.hold_until <= now ? 'ended' : 'ends';
  const lines = [
    reasonText(story, now),
    `Its status is ${words(commission.status)} since ${at(commission.status_at)}, by ${runText(run, program.timezone)}.`,
    `Its hold of ${days} ${hold} on ${at(commission.hold_until)}.`,
  ];
  const isFree = commission.status === 'ready_for_payment' && !payout;
  if (isFree && leftOut && leftOut.at >= commission.status_at) {
    lines.push(
      `When payouts were prepared as of ${at(leftOut.asOf)}, the affiliate was left out: ${leftOutText(leftOut, program)}.`,
    );
  }
  return lines;
}

function reasonText(story: SaleStory, now: Date): string {
  const { conversion, commission, affiliate, program, payout } = story;
  const isHeldBack = !payout && commission?.status !== 'declined' && openDispute(story);
  if (isHeldBack) return `Held back, because the dispute ${isHeldBack.external_id} is open.`;
  switch (commission?.status) {
    case 'pending':
      if (conversion.sales_status === 'open' || conversion.sales_status === 'trialing')
        return `Pending, because the sale is ${conversion.sales_status}: only a complete one is released.`;
      if (commission.hold_until > now) return 'Pending, because its hold has not ended.';
      return 'Pending, although its hold has ended: the next release moves it on.';
    case 'pending_manual_approval':
      return `Its hold has ended; the programme ${program.ref} asks a person to approve each commission.`;
    case 'paid':
      return `Paid with the payout ${payout?.reference}, the provider's reference is ${payout?.provider_reference ?? 'not known'}.`;
    case 'declined':
      return `Declined: ${commission.reason ?? 'no reason is known'}.`;
    default:
      if (payout)
        return `In the payout ${payout.reference} (${showId('payout', payout.id)}), which is ${payout.status}.`;
      return `Ready to be paid to ${affiliate.name}, and in no payout yet.`;
  }
}

function nextText(story: SaleStory, now: Date): string[] {
  const { commission, conversion, affiliate, program, payout, batch } = story;
  if (!commission) return [];
  const steps: string[] = [];
  if (commission.status !== 'declined' && !payout && openDispute(story)) steps.push('The dispute ends.');
  const { status } = commission;
  const isOpen = conversion.sales_status === 'open' || conversion.sales_status === 'trialing';
  if (status === 'pending') {
    if (isOpen) steps.push('The sale becomes complete.');
    if (commission.hold_until > now)
      steps.push(`The hold ends on ${showInstant(commission.hold_until, program.timezone)}.`);
    steps.push('The next run of release-holds moves it on.');
  }
  if (
    status === 'pending_manual_approval' ||
    (status === 'pending' && program.commission_approval === 'manual')
  )
    steps.push('A person approves the commission.');
  if (status !== 'paid' && status !== 'declined' && !payout) {
    if (affiliate.status !== 'active') steps.push(`The affiliate, now ${affiliate.status}, becomes active.`);
    if (!affiliate.payout_method || !affiliate.payout_destination)
      steps.push('The affiliate gets a payout method and destination.');
    steps.push(
      `A payout takes it up: they are prepared for ${scheduleText(program)}, from ${showAmount(program.minimum_payout, program.currency)} on.`,
    );
  }
  const payoutStep = payout && batch && payoutNext(payout, batch, program, affiliate);
  if (payoutStep) steps.push(payoutStep);
  return steps.map((step, index) => `${index + 1}. ${step}`);
}

function openDispute({ disputes }: SaleStory) {
  return disputes.find((one) => one.status === 'open');
}

function originText({ conversion, import: file, program, acceptedAs }: SaleStory): string {
  const where = `${file?.file ?? 'unknown file'}:${conversion.line}`;
  const when = file ? `, imported ${showInstant(file.finished_at, program.timezone)}` : '';
  const accepted = acceptedAs
    ? `; accepted by ${acceptedAs.decided_by} in place of ${showId('conversion', acceptedAs.conversion_id)}`
    : '';
  return `${where}${when} (${showId('import', conversion.import_id)})${accepted}`;
}

function conflictTexts({ conflicts, conversion }: SaleStory): string[] {
  return conflicts.map(({ import_id: importId, line, difference, status }) => {
    const fields = Object.entries(readableDifference(difference, conversion.currency)).map(
      ([field, { ours, theirs }]) =>
        `${words(field)} ${ours ?? 'nothing'} here, ${theirs ?? 'nothing'} there`,
    );
    return `${showId('import', importId)}, line ${line} (${status}): ${fields.join('; ')}`;
  });
}
