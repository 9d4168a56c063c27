import { type SaleField, saleFields } from '../config-schema.ts';
import { type Session, throwIfInterrupted } from '../db/connect.ts';
import { PayrunError } from '../errors.ts';
import { newIdPrefix } from '../ids.ts';
import { type Batch, postTally, programTerms } from '../ledger/record.ts';
import { createStage, type StagedSale } from '../ledger/stage.ts';
import { batchRecorder } from './batches.ts';
import { type Columns, findColumns } from './columns.ts';
import { guessedEncoding } from './encoding.ts';
import { type Landed, type Landing, warningOf } from './landing.ts';
import type { Rates } from './rates.ts';
import { type CsvFile, type CsvRecord, readCsv } from './records.ts';
import { refundsBeside, settleRefunds } from './refunds.ts';
import { writeRejectsCsv } from './rejects-csv.ts';
import { returned } from './returned.ts';
import { requiredSaleFields, saleReader, type Warnings } from './sale-row.ts';
import type { Source } from './source.ts';
import { asText } from './typed-cells.ts';

const fieldNames = {
  external_id: 'externalId',
  affiliate: 'affiliate',
  amount: 'amount',
  currency: 'currency',
  occurred_at: 'occurredAt',
  customer_id: 'customerId',
  customer_email: 'email',
  product_ids: 'productIds',
  price_ids: 'priceIds',
  interval: 'interval',
  is_subscription: 'isSubscription',
  sales_status: 'salesStatus',
  hold_days: 'holdDays',
  expense: 'expense',
  note: 'note',
  refund_of: 'refundOf',
  refunded_total: 'refundedTotal',
} as const satisfies Record<SaleField, keyof StagedSale>;

/**
 * Streams a sales CSV into the ledger inside the caller's transaction: while Postgres records one batch, the next is
 * parsed. The first of `sources` whose columns the file has reads it. Raises `file-refused` for a file that can't be
 * read as a whole.
 */
export async function landSales(
  session: Session,
  landing: Landing,
  sources: Source[],
  rates: Rates,
): Promise<Landed & { sourceId: string | null }> {
  const { work, mover, progress } = landing;
  const file = landing.file.as(sources[0]!.settings.encoding, sources[0]!.settings.sheet);
  let bytes = 0;
  const onBytes = (count: number) => {
    bytes += count;
  };
  const { csv, rejectsOf } = returned(await readCsv(file, sources[0]!.settings.delimiter, onBytes));
  const { source, columns } = fitting(sources, csv, file.shown);
  const program = await programTerms(session, mover.accountId, source.programId);
  const { defaults } = source.settings;
  const warnings: Warnings = { timesThatComeTwice: 0 };
  const read = saleReader(
    { columns, width: csv.header.length, settings: source.settings, program, rates },
    warnings,
  );
  const present = saleFields.filter((field) => columns.has(field) || defaults?.[field] !== undefined);
  const fields: (keyof StagedSale)[] = [
    ...present.map((field) => fieldNames[field]),
    'occurredAtGiven',
    'salesStatus',
    ...(rates.isEmpty ? [] : (['fxRate'] as const)),
  ];
  const batch: Batch = {
    program,
    importId: landing.importId,
    hasCustomers: present.some((field) => field === 'customer_id' || field === 'customer_email'),
  };
  await createStage(session);
  const recorder = batchRecorder(session, mover, batch, {
    fields,
    idPrefix: newIdPrefix(mover.now),
    ahead: landing.ahead,
    isAgain: landing.isAgain,
  });
  const refunds = await refundsBeside(session, mover, present);
  let rows = 0;
  for await (const group of csv.groups) {
    for (const one of group) {
      const sale = read(one);
      const full = sale.refundOf === undefined ? recorder.add(sale) : undefined;
      if (full) await full;
      if (refunds) await refunds.add(sale);
    }
    rows += group.length;
    throwIfInterrupted(work.context.signal);
    progress.at(rows, bytes / Math.max(1, file.bytes));
  }
  const verdicts = await recorder.finish();
  if (rows === 0 && !source.settings.allow_empty) throw emptyFile(file.shown, csv.headerLine);
  const tally = await postTally(session, mover);
  const { otherAffiliate, ...ended } = verdicts;
  const { counts, ...settled } = await settleRefunds(
    session,
    mover,
    landing.importId,
    { refunds: refunds?.stage },
    {
      counts: ended,
      ...tally,
    },
  );
  const ignored = csv.blankLines();
  const { importId } = landing;
  const { workspace } = work.context.config;
  const inText = (groups: AsyncIterable<CsvRecord[]>) => asText(groups, columns, source.settings);
  const order = {
    file,
    csv,
    importId,
    workspace,
    accountId: mover.accountId,
    ...(csv.isTyped ? { asText: inText } : {}),
  };
  const rejects = counts.rejected === 0 ? undefined : await writeRejectsCsv(session, order);
  return {
    rows: rows + ignored,
    counts: { ...counts, ignored },
    ...settled,
    warnings: [
      ...guessedEncoding(file.encoding),
      ...warningOf(
        warnings.timesThatComeTwice,
        'time comes twice that night; the earlier was taken',
        'times come twice in their night; the earlier was taken',
      ),
      ...customersOfOthers(otherAffiliate),
      ...(rejects?.note === undefined ? [] : [rejects.note]),
    ],
    rejects,
    rejectsOf: rejectsOf(),
    sourceId: source.id ?? null,
  };
}

/** The warning for rows whose customer belongs to another affiliate than the one they name. */
export function customersOfOthers(rows: number): string[] {
  return warningOf(
    rows,
    'row names another affiliate than its customer belongs to; the row’s own was credited',
    'rows name another affiliate than their customer belongs to; the rows’ own were credited',
  );
}

function fitting(
  sources: Source[],
  csv: CsvFile,
  shown: string,
): { source: Source; columns: Columns<SaleField> } {
  let first: unknown;
  for (const source of sources) {
    const { mapping, defaults } = source.settings;
    const layout = {
      fields: saleFields,
      required: requiredSaleFields,
      mapping,
      defaults: { affiliate: '', ...defaults },
    };
    try {
      return { source, columns: findColumns(csv.header, layout, { file: shown, line: csv.headerLine }) };
    } catch (cause) {
      first ??= cause;
    }
  }
  throw first;
}

function emptyFile(shown: string, line: number): PayrunError {
  return new PayrunError('file-refused', 'The file has a header but no rows.', {
    place: { file: shown, line },
    todo: 'Export it again, or set allow_empty in the source if a file without sales is normal.',
  });
}
