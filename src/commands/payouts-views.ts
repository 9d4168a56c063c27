import { type Command, Option } from 'commander';
import type { BatchStatus } from '../db/tables.ts';
import { parseId, showId } from '../ids.ts';
import { formatAmount, showAmount, showCount } from '../money.ts';
import {
  type BatchDetails,
  type BatchSummary,
  listBatches,
  listPayees,
  type Payee,
  showBatch,
  viewBatch,
} from '../payouts/payout.ts';
import { showInstant } from '../time.ts';
import { answerList, type List, type ListFlags, withListFlags } from './lists.ts';
import { withAccount } from './open.ts';
import { limitFlag, limitHelp, readCount } from './options.ts';
import { type Column, type Paint, pairs, paragraphs, plural, section, sentences, table } from './render.ts';
import type { Answer, Shell } from './shell.ts';

const statuses: BatchStatus[] = ['draft', 'approved', 'exported', 'settled', 'canceled'];

/** Adds `list` and `show` to `payrun payouts`; they change nothing. */
export function registerViews(payouts: Command, shell: Shell): void {
  payouts
    .command('list')
    .description('The latest payout batches, newest first.')
    .addOption(new Option('--status <status>', 'only those in this state').choices(statuses))
    .option(limitFlag, limitHelp, '50')
    .action(
      shell.does((options: { status?: BatchStatus; limit: string }) =>
        list(shell, options.limit, options.status),
      ),
    );
  const one = payouts
    .command('show')
    .description('One batch: its state, its sums, and who gets what, by affiliate.')
    .argument('<batch>', 'its id, as "payrun payouts list" shows it')
    .option('--affiliate <name>', 'only of this affiliate: ref, short code, e-mail or id');
  withListFlags(one).action(
    shell.does((batch: string, flags: ListFlags & { affiliate?: string }) => show(shell, batch, flags)),
  );
}

async function list(shell: Shell, limitText: string, status?: BatchStatus): Promise<Answer> {
  const limit = readCount('--limit', limitText);
  return withAccount(shell, async ({ db }, account) => {
    const batches = await listBatches(db.sql, account.id, { status, limit });
    return {
      data: batches.map(viewBatch),
      text: (paint) =>
        batches.length === 0 ? 'There are no such payout batches.' : batchTable(paint, batches),
    };
  });
}

async function show(shell: Shell, text: string, flags: ListFlags & { affiliate?: string }): Promise<Answer> {
  const batchId = parseId('batch', text);
  return withAccount(shell, ({ db }, account) =>
    db.transaction(
      async (session) => {
        const batch = await showBatch(session.sql, account.id, batchId);
        const { affiliate } = flags;
        return answerList(shell, flags, {
          name: 'first_payouts',
          columns: payoutColumns,
          read: (choice) => listPayees(session, account.id, { ...choice, affiliate, batchIds: [batchId] }),
          besideData: () => ({
            ...viewBatch(batch),
            by_status: batch.byStatus.map(({ amount, ...part }) => ({
              ...part,
              amount: formatAmount(amount, batch.currency),
            })),
          }),
          describe: (paint, rows) => describeBatch(paint, batch, rows),
        });
      },
      { snapshot: true },
    ),
  );
}

const payoutColumns: List<Payee>['columns'] = {
  payout: ({ payoutId }) => showId('payout', payoutId),
  reference: ({ reference }) => reference,
  affiliate: ({ affiliate }) => affiliate,
  name: ({ name }) => name,
  commissions: ({ lines }) => lines,
  amount: ({ amount, currency }) => formatAmount(amount, currency),
  currency: ({ currency }) => currency,
  status: ({ status }) => status,
  provider_reference: ({ providerReference }) => providerReference,
  reason: ({ reason }) => reason,
};

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

function describeBatch(paint: Paint, batch: BatchDetails, payees: Payee[]): string {
  return paragraphs(
    pairs(paint, [
      ['batch', showId('batch', batch.batchId)],
      ['status', statusText(paint, batch.status)],
      ['programme', batch.program],
      ['period', batch.period],
      ['method', batch.method],
      ['amount', `${showAmount(batch.amount, batch.currency)} in ${plural(batch.payouts, 'payout')}`],
      ['prepared', `${showInstant(batch.preparedAt, batch.timezone)}, by ${batch.preparedBy}`],
      ['approved by', batch.approvedBy ?? undefined],
      ['said yes', batch.saidYes.join(', ') || 'nobody'],
      ['still needed', batch.stillNeeded],
      ['exported', batch.exportedAt ? showInstant(batch.exportedAt, batch.timezone) : undefined],
    ]),
    section(paint, 'By status', (inner) =>
      table(
        inner,
        [{ title: 'status' }, { title: 'payouts', align: 'right' }, { title: 'amount', align: 'right' }],
        batch.byStatus.map((part) => [
          part.status,
          showCount(part.payouts),
          showAmount(part.amount, batch.currency),
        ]),
      ),
    ),
    batch.files.length > 0
      ? section(paint, 'Files', sentences(batch.files.map((file) => `outbox/${file}`)))
      : '',
    section(paint, 'Payouts, by affiliate', (inner) => payoutTable(inner, payees)),
  );
}

/** The payouts, and their sum where they are several. */
function payoutTable(paint: Paint, payees: Payee[]): string {
  if (payees.length === 0) return 'There are no such payouts.';
  const columns: Column[] = [
    ...['name', 'affiliate', 'reference'].map((title) => ({ title })),
    { title: 'commissions', align: 'right' },
    { title: 'amount', align: 'right' },
    ...['status', 'note'].map((title) => ({ title })),
  ];
  const rows = payees.map((payout) => [
    payout.name,
    payout.affiliate,
    payout.reference,
    showCount(payout.lines),
    showAmount(payout.amount, payout.currency),
    payout.status,
    payout.reason ?? payout.providerReference ?? '',
  ]);
  return table(paint, columns, rows);
}

function statusText(paint: Paint, status: BatchStatus): string {
  if (status === 'canceled') return paint.dim(status);
  return status === 'settled' ? paint.good(status) : paint.warn(status);
}
