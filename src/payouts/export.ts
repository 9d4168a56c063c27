import type { Selectable } from 'kysely';
import type { Session } from '../db/connect.ts';
import type { PayoutBatchRow } from '../db/tables.ts';
import { PayrunError } from '../errors.ts';
import { showId } from '../ids.ts';
import type { Mover } from '../ledger/journal.ts';
import { lockBatch } from '../ledger/lock-batch.ts';
import { type ExportedFile, markExported } from '../ledger/mark-exported.ts';
import { settleBatch } from '../ledger/settle.ts';
import { type Refusal, refuseInactive, refusePayouts } from '../ledger/unclaim.ts';
import { type PlacedFile, withOutbox } from './files.ts';
import type { Format, Line } from './formats/format.ts';
import { formatFor, formatNamed } from './formats/formats.ts';
import { detail, report } from './formats/report.ts';
import { type ManifestFile, manifestText } from './manifest.ts';
import { nameRefused, type RefusedOfBatch } from './refused.ts';
import { type Part, writeParts } from './write-parts.ts';

export interface ExportOptions {
  batchId: string;
  /** Without one, the format of the batch's method: that is the export that counts. */
  format?: string | undefined;
  /** The report with one row a commission. */
  detail?: boolean | undefined;
  /** The outbox. */
  folder: string;
  /** The permission bits of the files. */
  fileMode: number;
  dryRun: boolean;
  signal: AbortSignal;
}

/** What an export did with one batch; amounts in minor units of its currency. */
export interface BatchExport extends RefusedOfBatch {
  /** `exported` now; `rebuilt`, having been exported before; `reported`: a report for people, which changes nothing. */
  done: 'exported' | 'rebuilt' | 'reported';
  format: string;
  rows: number;
  amount: bigint;
  files: PlacedFile[];
}

type Batch = Selectable<PayoutBatchRow>;

/**
 * Writes the files of one batch, and a manifest beside them, and marks the batch exported. The batch stays locked
 * meanwhile, so that of two exports at once the second finds the files of the first. Payouts of affiliates who are not
 * active now, and those that the format can't carry, are in no file: they are canceled, and their commissions are ready
 * again. Exported before: the same bytes again, whether the files are still there or not. A report that is asked for by
 * name changes nothing, and carries a digest in its name, because its contents change as payouts are settled.
 * Raises `not-found`, `usage`, `state`, `file-exists`, `no-permission`, `disk-full`
 * and the like, and `interrupted`.
 */
export async function exportBatch(
  session: Session,
  mover: Mover,
  options: ExportOptions,
): Promise<BatchExport> {
  const batch = await lockBatch(session, mover.accountId, options.batchId);
  const format = chooseFormat(batch, options);
  const isReport = options.detail === true || options.format === report.name;
  if (!isReport) assertExportable(batch, format);
  const isFirst = !isReport && batch.status === 'approved';
  const choice = {
    accountId: mover.accountId,
    batchId: batch.id,
    file: isReport ? undefined : { exportedAt: batch.exported_at },
  };
  const owner = { runId: mover.runId, fileMode: options.fileMode };
  const inactive = isFirst ? await refuseInactive(session, mover, batch.id) : [];
  return withOutbox(options.folder, { ...owner, batch: showId('batch', batch.id) }, async (outbox) => {
    const { parts, refused } = await writeParts(outbox, format, format.read(session, choice), options.signal);
    const base = isReport ? `${fileBase(batch, format)}-${digestOf(parts)}` : fileBase(batch, format);
    const files = nameParts(base, format, parts);
    if (!isReport && batch.export_files) assertSame(batch, batch.export_files, files);
    const manifest = await outbox.write([manifestText(await factsOf(session, batch, format, files))]);
    const all = files.length === 0 ? [] : [...files, { ...manifest, name: `${base}.manifest.json` }];
    const placed = await outbox.place(all, options);
    if (isFirst) await store(session, mover, batch, { format, files, refused });
    const unpaid = isFirst ? [...inactive, ...refused] : [];
    return {
      batchId: batch.id,
      done: isReport ? 'reported' : isFirst ? 'exported' : 'rebuilt',
      format: format.name,
      currency: batch.currency,
      rows: files.reduce((rows, file) => rows + file.rows, 0),
      amount: files.reduce((amount, file) => amount + file.amount, 0n),
      files: placed,
      refused: unpaid,
      named: await nameRefused(session, mover.accountId, batch.id, unpaid),
    };
  });
}

/** How the names of a batch's files begin, before the dot. */
export function fileBase(batch: Pick<Batch, 'id'>, format: { name: string }): string {
  return `${showId('batch', batch.id)}.${format.name}`;
}

/** The format in which a batch leaves, or has left. */
export function ownFormat(batch: Pick<Batch, 'method' | 'export_format'>): Format<Line> {
  return batch.export_format === null ? formatFor(batch.method) : formatNamed(batch.export_format);
}

function chooseFormat(batch: Batch, { format: name, detail: isDetail }: ExportOptions): Format<Line> {
  const named = name === undefined ? ownFormat(batch) : formatNamed(name);
  if (isDetail) {
    if (name === undefined || named.name === report.name) return detail;
    throw new PayrunError('usage', `Only the report has a detailed form, not the format "${name}".`);
  }
  if (named.name === report.name || named.name === ownFormat(batch).name) return named;
  throw new PayrunError('usage', `Batch ${showId('batch', batch.id)} is paid by ${batch.method}.`, {
    found: name ?? '',
    todo: `Leave the format out, or ask for "${ownFormat(batch).name}" or "${report.name}".`,
  });
}

function assertExportable(batch: Batch, format: Format<Line>): void {
  const name = showId('batch', batch.id);
  if (batch.status === 'draft') {
    throw new PayrunError(
      'state',
      `Batch ${name} is a draft; only an approved batch is exported as ${format.name}.`,
      {
        todo: `Approve it first: payrun payouts approve ${name} --by <name>`,
      },
    );
  }
  if (batch.status === 'canceled') {
    throw new PayrunError('state', `Batch ${name} is canceled; there is nothing to export.`);
  }
}

function nameParts(base: string, format: Format<Line>, parts: Part[]): (Part & ManifestFile)[] {
  const of = String(parts.length).padStart(3, '0');
  return parts.map((part, index) => {
    const number = parts.length === 1 ? '' : `.${String(index + 1).padStart(of.length, '0')}-of-${of}`;
    return { ...part, name: `${base}${number}.${format.extension}` };
  });
}

/** Raises `state` when a rebuilt file is not what left: then something that must never change has changed. */
function assertSame(batch: Batch, exported: ExportedFile[], files: ExportedFile[]): void {
  const list = (some: ExportedFile[]) => some.map(({ name, sha256 }) => `${name} ${sha256}`).join('\n');
  if (list(exported) === list(files)) return;
  throw new PayrunError(
    'state',
    `The files of batch ${showId('batch', batch.id)} come out otherwise than when they left.`,
    {
      todo: 'Pay by the files that were exported, never by new ones. Run "payrun audit" and keep its output.',
    },
  );
}

async function factsOf(session: Session, batch: Batch, format: Format<Line>, files: ManifestFile[]) {
  const program = await session.sql
    .selectFrom('program')
    .select('ref')
    .where('account_id', '=', batch.account_id)
    .where('id', '=', batch.program_id)
    .executeTakeFirstOrThrow();
  return {
    batch: showId('batch', batch.id),
    program: program.ref,
    period: { start: batch.period_start, end: batch.period_end },
    format: format.name,
    currency: batch.currency,
    files,
  };
}

async function store(
  session: Session,
  mover: Mover,
  batch: Batch,
  { format, files, refused }: { format: Format<Line>; files: ExportedFile[]; refused: Refusal[] },
): Promise<void> {
  for (const { reason, references } of refused) {
    await refusePayouts(session, mover, { batchId: batch.id, reason, references });
  }
  const exported = files.map(({ name, sha256 }) => ({ name, sha256 }));
  await markExported(session, mover, { batchId: batch.id, format: format.name, files: exported });
  if (files.length === 0) await settleBatch(session, mover, batch.id);
}

function digestOf(parts: Part[]): string {
  return parts.map((part) => part.sha256.slice(0, 8)).join('-');
}
