import { type Command, Option } from 'commander';
import type { BatchStatus } from '../db/tables.ts';
import { parseId, showId } from '../ids.ts';
import { formatAmount, showAmount, showCount } from '../money.ts';
import {
  type BatchDetails,
  type BatchSummary,
  listBatches,
  type PayoutSummary,
  showBatch,
} from '../payouts/payout.ts';
import { showInstant } from '../time.ts';
import { withAccount } from './open.ts';
import { readCount } from './options.ts';
import { type Column, type Paint, pairs, paragraphs, plural, section, table } from './render.ts';
import type { Answer, Shell } from './shell.ts';

const statuses: BatchStatus[] = ['draft', 'approved', 'exported', 'settled', 'canceled'];

/** Adds `list` and `show` to `payrun payouts`; they change nothing. */
export function registerViews(payouts: Command, shell: Shell): void {
  payouts
    .command('list')
    .description('The latest payout batches, newest first.')
    .addOption(new Option('--status <status>', 'only those in this state').choices(statuses))
    .option('--limit <count>', 'at most so many', '50')
    .action(
      shell.does((options: { status?: BatchStatus; limit: string }) =>
        list(shell, options.limit, options.status),
      ),
    );
  payouts
    .command('show')
    .description('One batch: its state, its sums, and its payouts.')
    .argument('<batch>', 'its id, as "payrun payouts list" shows it')
    .option('--limit <count>', 'so many payouts', '50')
    .action(shell.does((batch: string, options: { limit: string }) => show(shell, batch, options.limit)));
}

async function list(shell: Shell, limitText: string, status?: BatchStatus): Promise<Answer> {
  const limit = readCount('--limit', limitText);
  return withAccount(shell, async ({ db }, account) => {
    const batches = await listBatches(db.sql, account.id, { status, limit });
    return {
      data: batches.map(batchData),
      text: (paint) =>
        batches.length === 0 ? 'There are no such payout batches.' : batchTable(paint, batches),
    };
  });
}

async function show(shell: Shell, text: string, limitText: string): Promise<Answer> {
  const batchId = parseId('batch', text);
  const limit = readCount('--limit', limitText);
  return withAccount(shell, async ({ db }, account) => {
    const batch = await showBatch(db.sql, account.id, batchId, { limit });
    return {
      data: {
        ...batchData(batch),
        by_status: batch.byStatus.map(({ amount, ...part }) => ({
          ...part,
          amount: formatAmount(amount, batch.currency),
        })),
        first_payouts: batch.first.map((payout) => payoutData(payout, batch.currency)),
      },
      text: (paint) => describeBatch(paint, batch),
    };
  });
}

function batchData(batch: BatchSummary) {
  return {
    batch: showId('batch', batch.batchId),
    program: batch.program,
    period: batch.period,
    method: batch.method,
    status: batch.status,
    payouts: batch.payouts,
    amount: formatAmount(batch.amount, batch.currency),
    currency: batch.currency,
    prepared_by: batch.preparedBy,
    prepared_at: batch.preparedAt,
    approved_by: batch.approvedBy,
    said_yes: batch.saidYes,
    still_needed: batch.stillNeeded ?? null,
    exported_at: batch.exportedAt,
    files: batch.files,
  };
}

function payoutData(payout: PayoutSummary, currency: string) {
  return {
    payout: showId('payout', payout.payoutId),
    reference: payout.reference,
    affiliate: payout.affiliate,
    name: payout.name,
    commissions: payout.lines,
    amount: formatAmount(payout.amount, currency),
    currency,
    status: payout.status,
    provider_reference: payout.providerReference,
    reason: payout.reason,
  };
}

function batchTable(paint: Paint, batches: BatchSummary[]): string {
  const columns: Column[] = [
    ...['batch', 'programme', 'period', 'method', 'status'].map((title) => ({ title })),
    { title: 'payouts', align: 'right' },
    { title: 'amount', align: 'right' },
    { title: 'prepared by' },
    { title: 'said yes' },
    { title: 'still needed' },
  ];
  const rows = batches.map((batch) => [
    showId('batch', batch.batchId),
    batch.program,
    batch.period,
    batch.method,
    statusText(paint, batch.status),
    showCount(batch.payouts),
    showAmount(batch.amount, batch.currency),
    batch.preparedBy,
    batch.saidYes.join(', '),
    batch.stillNeeded ?? '',
  ]);
  return table(paint, columns, rows);
}

function describeBatch(paint: Paint, batch: BatchDetails): string {
  const count = batch.byStatus.reduce((sum, part) => sum + part.payouts, 0);
  const hidden = count - batch.first.length;
  const shown = hidden > 0 ? `The first ${showCount(batch.first.length)} payouts` : 'Payouts';
  return paragraphs(
    pairs(paint, [
      ['batch', showId('batch', batch.batchId)],
      ['status', statusText(paint, batch.status)],
      ['programme', batch.program],
      ['period', batch.period],
      ['method', batch.method],
      ['amount', `${showAmount(batch.amount, batch.currency)} in ${plural(batch.payouts, 'payout')}`],
      ['prepared', `${showInstant(batch.preparedAt, 'UTC')}, by ${batch.preparedBy}`],
      ['approved by', batch.approvedBy ?? undefined],
      ['said yes', batch.saidYes.join(', ') || 'nobody'],
      ['still needed', batch.stillNeeded],
      ['exported', batch.exportedAt ? showInstant(batch.exportedAt, 'UTC') : undefined],
    ]),
    section(
      paint,
      'By status',
      table(
        paint,
        [{ title: 'status' }, { title: 'payouts', align: 'right' }, { title: 'amount', align: 'right' }],
        batch.byStatus.map((part) => [
          part.status,
          showCount(part.payouts),
          showAmount(part.amount, batch.currency),
        ]),
      ),
    ),
    batch.files.length > 0
      ? section(paint, 'Files', batch.files.map((file) => `outbox/${file}`).join('\n'))
      : '',
    section(paint, shown, payoutTable(paint, batch)),
    hidden > 0
      ? `And ${showCount(hidden)} more: --limit shows them, "payrun payouts export --detail" writes all.`
      : '',
  );
}

function payoutTable(paint: Paint, { first, currency }: BatchDetails): string {
  const columns: Column[] = [
    ...['reference', 'affiliate', 'name'].map((title) => ({ title })),
    { title: 'commissions', align: 'right' },
    { title: 'amount', align: 'right' },
    ...['status', 'note'].map((title) => ({ title })),
  ];
  const rows = first.map((payout) => [
    payout.reference,
    payout.affiliate,
    payout.name,
    showCount(payout.lines),
    showAmount(payout.amount, currency),
    payout.status,
    payout.reason ?? payout.providerReference ?? '',
  ]);
  return table(paint, columns, rows);
}

function statusText(paint: Paint, status: BatchStatus): string {
  if (status === 'canceled') return paint.dim(status);
  return status === 'settled' ? paint.good(status) : paint.warn(status);
}
