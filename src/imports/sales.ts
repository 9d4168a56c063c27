import { type SaleField, saleFields } from '../config-schema.ts';
import { type Session, throwIfInterrupted } from '../db/connect.ts';
import { PayrunError } from '../errors.ts';
import { newIdPrefix } from '../ids.ts';
import { type Batch, postTally, programTerms } from '../ledger/record.ts';
import { createStage, type StagedSale } from '../ledger/stage.ts';
import { batchRecorder } from './batches.ts';
import { compareTotals } from './controls.ts';
import { guessedEncoding } from './encoding.ts';
import { assertExpected } from './expected.ts';
import { firstImport, stylesOf } from './first-import.ts';
import { type Landed, type Landing, warningOf } from './landing.ts';
import { PreviewRows, previewOf } from './preview.ts';
import { proveStyles } from './prove.ts';
import type { Rates } from './rates.ts';
import { type CsvFile, type CsvRecord, readCsv } from './records.ts';
import { refundsBeside, settleRefunds } from './refunds.ts';
import { writeRejectsCsv } from './rejects-csv.ts';
import { returned } from './returned.ts';
import { fitting, tableReading } from './sale-layout.ts';
import { type SaleReader, saleReader, type Warnings } from './sale-row.ts';
import type { Source } from './source.ts';
import type { Evidence } from './styles.ts';
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
  const how = tableReading(sources, file.shown);
  const onBytes = (count: number) => {
    bytes += count;
  };
  const { csv, rejectsOf } = returned(await readCsv(file, { ...how, onBytes }));
  const { source, columns } = fitting(sources, csv, file.shown);
  const program = await programTerms(session, mover.accountId, source.programId);
  const { defaults } = source.settings;
  const warnings: Warnings = { timesThatComeTwice: 0, idsLikeDates: 0 };
  const reader = saleReader(
    { shown: file.shown, columns, header: csv.header, settings: source.settings, program, rates },
    warnings,
  );
  const same = { ...how, delimiter: csv.delimiter, headerLine: csv.headerLine };
  const again = async () => returned(await readCsv(file, same)).csv;
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
  const idPrefix = newIdPrefix(mover.now);
  const recorder = batchRecorder(session, mover, batch, {
    fields,
    idPrefix,
    ahead: landing.ahead,
    isAgain: landing.isAgain,
  });
  const preview = work.dryRun ? new PreviewRows(csv.header, columns) : undefined;
  const refunds = await refundsBeside(session, mover, present);
  const earlierStyles = async () => {
    const first = await firstImport(session, mover.accountId, { kind: 'sales', file }, rejectsOf());
    return stylesOf(session, mover.accountId, first);
  };
  let rows = 0;
  for await (const group of csv.groups) {
    for (const one of group) {
      const sale = reader.read(one) ?? (await readProven(one, reader, again, earlierStyles));
      const full = sale.refundOf === undefined ? recorder.add(sale) : undefined;
      if (full) await full;
      if (refunds) await refunds.add(sale);
      if (preview && !preview.isFull) preview.add(one, sale);
    }
    rows += group.length;
    throwIfInterrupted(work.context.signal);
    progress.at(rows, bytes / Math.max(1, file.bytes));
  }
  const { amount, controls } = reader.figures;
  const at = { amount: columns.get('amount'), currency: columns.get('currency') };
  if (landing.expected) assertExpected(landing.expected, controls, file.shown);
  const agreed = compareTotals(csv.beside.totals, controls, at, amount, file.shown);
  const verdicts = await recorder.finish();
  if (rows === 0 && !source.settings.allow_empty) throw emptyFile(file.shown, csv.headerLine);
  const tally = await postTally(session, mover);
  const { otherAffiliate, ...ended } = verdicts;
  const staged = { refunds: refunds?.stage };
  const { counts, ...settled } = await settleRefunds(session, mover, landing.importId, staged, {
    counts: ended,
    ...tally,
  });
  const ignored = csv.ignored();
  const rejects =
    counts.rejected === 0
      ? undefined
      : await writeRejectsCsv(session, {
          file,
          again,
          importId: landing.importId,
          workspace: work.context.config.workspace,
          accountId: mover.accountId,
          ...(csv.isTyped ? { asText: (groups) => asText(groups, columns, source.settings) } : {}),
        });
  return {
    rows: rows + ignored,
    counts: { ...counts, ignored },
    ...settled,
    warnings: [
      ...guessedEncoding(file.encoding),
      ...besideRows(csv, warnings),
      ...agreed,
      ...customersOfOthers(otherAffiliate),
      ...(rejects?.note === undefined ? [] : [rejects.note]),
    ],
    rejects,
    rejectsOf: rejectsOf(),
    preview:
      preview &&
      (await previewOf(session, mover.accountId, {
        encoding: file.encoding,
        csv,
        styles: reader.figures.evidence,
        rows: preview.rows,
        idPrefix,
      })),
    styles: reader.figures.evidence,
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

/** Looks through the file for what proves the styles that are open, then reads the record that waited for it. */
async function readProven(
  record: CsvRecord,
  reader: SaleReader,
  again: () => Promise<CsvFile>,
  earlier: () => Promise<Evidence[]>,
): Promise<StagedSale> {
  await proveStyles(await again(), reader.figures.styled, earlier);
  return reader.read(record)!;
}

/** Sentences about what stands in the file besides its rows, or looks wrong in them. */
function besideRows(
  { beside, headerLine }: CsvFile,
  { timesThatComeTwice, idsLikeDates }: Warnings,
): string[] {
  const { above, footers, seen } = beside;
  return [
    ...(above === 0 ? [] : [`the header was found in line ${headerLine}; what stands above it was left out`]),
    ...warningOf(footers, 'line below the last row was left out', 'lines below the last row were left out'),
    ...warningOf(
      timesThatComeTwice,
      'time comes twice that night; the earlier was taken',
      'times come twice in their night; the earlier was taken',
    ),
    ...warningOf(
      idsLikeDates,
      'external id looks like a date that a spreadsheet made of it; it was kept',
      'external ids look like dates that a spreadsheet made of them; they were kept',
    ),
    ...warningOf(
      seen.garbled.records,
      `row has text that looks as if it was encoded twice, in line ${seen.garbled.line}; it was kept`,
      `rows have text that looks as if it was encoded twice, first in line ${seen.garbled.line}; it was kept`,
    ),
  ];
}

function emptyFile(shown: string, line: number): PayrunError {
  return new PayrunError('file-refused', 'The file has a header but no rows.', {
    place: { file: shown, line },
    todo: 'Export it again, or set allow_empty in the source if a file without sales is normal.',
  });
}
