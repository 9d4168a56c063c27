import { csv } from '../../csv.ts';
import { showId } from '../../ids.ts';
import { formatAmount, formatPercent } from '../../money.ts';
import { harmless } from '../../spreadsheet.ts';
import { type CommissionLine, type ReportLine, readCommissionLines, readReportLines } from '../lines.ts';
import type { Format } from './format.ts';

/** The generic payout report, one row a payout: for people, and for the methods that have no format of their own. */
export const report: Format<ReportLine> = {
  name: 'report',
  methods: ['paypal', 'wise', 'sepa', 'ach', 'manual'],
  extension: 'csv',
  maxRows: Number.POSITIVE_INFINITY,
  read: readReportLines,
  write: (pages) => rows(payoutHeader, pages, payoutCells),
};

/** The same payouts, one row a commission. */
export const detail: Format<CommissionLine> = {
  name: 'detail',
  methods: [],
  extension: 'csv',
  maxRows: Number.POSITIVE_INFINITY,
  read: readCommissionLines,
  write(pages) {
    const payoutOf = shownOnce();
    return rows(commissionHeader, pages, (line) => commissionCells(line, payoutOf(line.payoutId)));
  },
};

const payoutHeader = [
  'payout',
  'reference',
  'affiliate',
  'name',
  'method',
  'destination',
  'amount',
  'currency',
  'commissions',
  'status',
  'provider_reference',
  'reason',
];

function payoutCells(line: ReportLine): string[] {
  return [
    showId('payout', line.payoutId),
    line.reference,
    harmless(line.affiliateRef),
    harmless(line.payeeName),
    line.method,
    harmless(line.destination),
    formatAmount(line.amount, line.currency),
    line.currency,
    String(line.lines),
    line.status,
    harmless(line.providerReference),
    harmless(line.reason),
  ];
}

const commissionHeader = [
  'payout',
  'reference',
  'affiliate',
  'name',
  'method',
  'status',
  'commission',
  'external_id',
  'occurred_at',
  'sale_amount',
  'sale_currency',
  'amount',
  'currency',
  'rate_percent',
  'incentive',
  'note',
];

function commissionCells(line: CommissionLine, payout: string): string[] {
  return [
    payout,
    line.reference,
    harmless(line.affiliateRef),
    harmless(line.payeeName),
    line.method,
    line.status,
    showId('commission', line.commissionId),
    harmless(line.externalId),
    line.occurredAt,
    line.saleAmount === null ? '' : formatAmount(line.saleAmount, line.saleCurrency),
    line.saleCurrency,
    formatAmount(line.amount, line.currency),
    line.currency,
    line.ratePpm === null ? '' : formatPercent(line.ratePpm),
    harmless(line.incentiveRef),
    harmless(line.note),
  ];
}

async function* rows<Line>(
  header: string[],
  pages: AsyncIterable<Line[]>,
  cellsOf: (line: Line) => string[],
): AsyncGenerator<string> {
  yield csv([header], '\n');
  for await (const page of pages) yield csv(page.map(cellsOf), '\n');
}

/** Shows the id of a payout, computed once for all of its commissions, which follow one another. */
function shownOnce(): (payoutId: string) => string {
  let last = { id: '', shown: '' };
  return (id) => {
    if (id !== last.id) last = { id, shown: showId('payout', id) };
    return last.shown;
  };
}
