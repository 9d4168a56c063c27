import { saleFields } from '../../config-source.ts';
import { type Session, throwIfInterrupted } from '../../db/connect.ts';
import { PayrunError } from '../../errors.ts';
import { newIdPrefix } from '../../ids.ts';
import type { Verdicts } from '../../ledger/record/verdicts.ts';
import { type Batch, postTally, programTerms } from '../../ledger/record.ts';
import { createStage, type StagedSale } from '../../ledger/stage.ts';
import { assertExpected } from '../expected.ts';
import { guessedEncoding } from '../files/encoding.ts';
import type { InputFile } from '../files/open.ts';
import type { CsvFile, CsvRecord } from '../files/records.ts';
import { firstImport, sourceOf, stylesOf } from '../first-import.ts';
import type { Landed, Landing } from '../landing.ts';
import { warningAt } from '../noted.ts';
import { previewOf } from '../preview.ts';
import { PreviewRows } from '../preview-rows.ts';
import type { Rates } from '../rates.ts';
import type { RejectsFile } from '../rejects.ts';
import { writeRejectsCsv } from '../rejects-csv.ts';
import type { Source } from '../source.ts';
import type { Evidence } from '../values/styles.ts';
import { batchRecorder } from './batches.ts';
import { besideRows, leftOut } from './beside-rows.ts';
import type { Origin } from './candidates.ts';
import { compareTotals } from './controls.ts';
import { type UnderstoodFile, understand } from './layout.ts';
import { openPreset, type PresetRows } from './preset-rows.ts';
import { proveStyles } from './prove.ts';
import { refundsBeside, settleRefunds } from './refunds.ts';
import type { SaleFigures } from './sale-figures.ts';
import { noWarnings, type SaleReader, saleReader } from './sale-row.ts';
import { SumRow } from './sum-row.ts';
import { asText } from './typed-cells.ts';
import { ignoreStrangers, Unattributed } from './unattributed.ts';
import { UnusedColumns, warnOfUnused } from './unused-columns.ts';

/**
 * Streams a sales CSV into the ledger inside the caller's transaction: while Postgres records one batch, the next is
 * parsed. The first of `sources` whose columns the file has reads it, else a preset. Raises `file-refused` for a file that can't be
 * read as a whole.
 */
export async function landSales(
  session: Session,
  landing: Landing,
  sources: Source[],
  rates: Rates,
): Promise<Landed & { sourceId: string | null }> {
  const { work, mover, progress } = landing;
  let bytes = 0;
  const importOf = (file: InputFile, inRows: string | undefined) =>
    firstImport(session, mover.accountId, { kind: 'sales', file }, inRows);
  const origin: Origin = async ({ file, rejectsOfFirst }) =>
    sourceOf(session, mover.accountId, await importOf(file, await rejectsOfFirst()));
  const understood = await understand(landing.file, sources, origin, (count) => {
    bytes += count;
  });
  const { file, csv, again, rejectsOf, source, columns, preset, layout } = understood;
  const { settings } = source;
  const program = await programTerms(session, mover.accountId, source.programId);
  const { defaults } = settings;
  const warnings = noWarnings();
  const header = [...csv.header, ...(preset?.makes ?? [])];
  const reader = saleReader(
    { shown: file.shown, columns, header, settings, program, rates, now: mover.now },
    warnings,
  );
  const left = settings.unattributed === 'ignore' ? new Unattributed(columns, defaults) : undefined;
  const rows =
    preset && (await openPreset(work, understood, program.currency, preset, warnings.timesThatComeTwice));
  const present = saleFields.filter((field) => columns.has(field) || defaults?.[field] !== undefined);
  const batch: Batch = {
    program,
    importId: landing.importId,
    hasCustomers: present.some((field) => field === 'customer_id' || field === 'customer_email'),
    ignoresUnattributed: left !== undefined,
    hasTotals: present.includes('refunded_total'),
  };
  await createStage(session);
  const idPrefix = newIdPrefix(mover.now);
  const recorder = batchRecorder(session, mover, batch, {
    idPrefix,
    ahead: landing.ahead,
    isAgain: landing.isAgain,
  });
  const preview = work.dryRun ? new PreviewRows(csv.header, columns, rows?.looksAt) : undefined;
  const refunds = await refundsBeside(session, mover, present);
  const unused = preset ? undefined : new UnusedColumns(csv.header, columns.values(), settings.ignore);
  const earlierStyles = async () => stylesOf(session, mover.accountId, await importOf(file, rejectsOf()));
  let records = 0;
  const sumRow = new SumRow(csv, columns, reader.figures);
  for await (const group of rows ? rows.records(csv.groups) : sumRow.rows()) {
    for (const one of group) {
      const spoiled = rows ? rows.spoiled(one) : sumRow.faultOf(one);
      const read = reader.read(one, spoiled) ?? (await readProven(one, reader, again, earlierStyles));
      if (rows && !rows.isSale(one)) continue;
      const sale = left ? left.keep(read, one) : read;
      if (!sale) continue;
      const full = sale.refundOf === undefined ? recorder.add(sale) : undefined;
      if (full) await full;
      if (refunds) await refunds.add(sale);
      if (preview && !preview.isFull) preview.add(one, sale);
    }
    unused?.look(group);
    records += group.length;
    throwIfInterrupted(work.context.signal);
    progress.at(records, bytes / Math.max(1, file.bytes));
  }
  const { amount, controls, evidence: styles } = reader.figures;
  const at = { amount: columns.get('amount'), currency: columns.get('currency') };
  if (landing.expected) assertExpected(landing.expected, controls, file.shown);
  const agreed = compareTotals(csv.beside.totals, controls, at, amount, file.shown);
  const verdicts = await recorder.finish();
  if (records === 0 && !settings.allow_empty) throw emptyFile(file.shown, csv.headerLine);
  const tally = await postTally(session, mover, batch, recorder.bought());
  const { otherAffiliate, ignored, ...ended } = verdicts;
  const strangers = left ? await ignoreStrangers(session, mover) : 0;
  ended.rejected -= strangers;
  const staged = { refunds: refunds?.stage, isAgain: landing.isAgain };
  const { counts, ...settled } = await settleRefunds(session, mover, landing.importId, staged, {
    counts: ended,
    ...tally,
  });
  const unattributed = ignored + strangers + (left?.ignored ?? 0);
  const noSales = rows?.noSales ?? 0;
  const rejects =
    counts.rejected === 0
      ? undefined
      : await rejectsOfSales(session, landing, understood, reader.figures, rows);
  return {
    rows: records + csv.ignored(),
    counts: { ...counts, ignored: unattributed + noSales + csv.ignored() },
    ...settled,
    warnings: [
      ...guessedEncoding(file.encoding),
      ...besideRows(csv, warnings),
      ...warnOfUnused(unused?.found() ?? []),
      ...leftOut(unattributed, noSales),
      ...agreed,
      ...customersOfOthers(otherAffiliate),
      ...(rejects?.note === undefined ? [] : [rejects.note]),
    ],
    rejects,
    rejectsOf: rejectsOf(),
    preview:
      preview &&
      (await previewOf(session, mover, landing.importId, {
        encoding: file.encoding,
        delimiter: csv.isTyped ? null : csv.delimiter,
        header_line: csv.headerLine,
        styles,
        rows: preview.rows,
        not_used: unused?.found() ?? [],
        event_types: [],
      })),
    styles,
    sourceId: source.id ?? null,
    layout,
  };
}

async function rejectsOfSales(
  session: Session,
  { work, mover, importId }: Landing,
  { file, csv, again, columns, source }: UnderstoodFile,
  { decimals }: SaleFigures,
  rows: PresetRows | undefined,
): Promise<RejectsFile> {
  const dates = { at: columns.get('occurred_at'), format: source.settings.date_format };
  const inText = (groups: AsyncIterable<CsvRecord[]>) => asText(groups, { decimals, dates });
  return writeRejectsCsv(session, {
    file,
    again,
    importId,
    work,
    accountId: mover.accountId,
    match: rows?.withFurtherLines.bind(rows),
    ...(csv.isTyped ? { asText: inText } : {}),
  });
}

/** The warning for rows whose customer belongs to another affiliate than the one they name. */
export function customersOfOthers(rows: Verdicts['otherAffiliate']): string[] {
  return warningAt(
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

function emptyFile(shown: string, line: number): PayrunError {
  return new PayrunError('file-refused', 'The file has a header but no rows.', {
    place: { file: shown, line },
    todo: 'Export it again, or set allow_empty in the source if a file without sales is normal.',
  });
}
