import { isUtf8 } from 'node:buffer';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import iconv from 'iconv-lite';
import { sql } from 'kysely';
import type { Db } from '../../src/db/connect.ts';
import { PayrunError } from '../../src/errors.ts';
import type { ImportOutcome } from '../../src/imports/import.ts';
import { formatAmount, formatPercent } from '../../src/money.ts';
import { booked, referrals } from '../support/books.ts';
import { type Desk, type DeskSettings, openDesk } from '../support/desk.ts';

/** What a case may say besides its input. */
export interface FixtureConfig extends DeskSettings {
  /** The source to name on the command line; without one Payrun finds it. */
  source?: string;
  /** Beside Ann, Bob, Cho (paused), Dan (banned) and Eve (pending): lines of an affiliates file. */
  affiliates?: string[];
  /** Sales that were imported before, in the canonical layout with customer_id and customer_email. */
  before?: string[];
  /** The lines of a whole sales file that was imported before. */
  beforeFile?: string[];
}

const people = [
  'ref,name,email,short_code,status,commission_override',
  'ann,Ann,ann@example.com,ANN10,active,',
  'bob,Bob,bob@example.com,,active,40',
  'cho,Cho,,,paused,',
  'dan,Dan,,,banned,',
  'eve,Eve,,,pending,',
];

/**
 * Imports a file on a desk of its own and tells everything that came of it, in a form to be read: counts that are
 * not zero, totals, rejected rows as `line n code field`, sales, referrals, events, warnings; or why it was refused.
 * On the way it proves what holds for every file: counts add up, again changes nothing, rejects import back.
 */
export async function caseOutcome(
  db: Db,
  name: string,
  content: Buffer,
  config: FixtureConfig,
): Promise<Record<string, unknown>> {
  const kind = name.includes('.ndjson') ? 'events' : 'sales';
  const desk = await openDesk(db, config);
  await desk.land('affiliates', `${[...people, ...(config.affiliates ?? [])].join('\n')}\n`);
  if (config.before) {
    const header = 'external_id,affiliate,amount,currency,occurred_at,customer_id,customer_email';
    await desk.land('sales', `${[header, ...config.before].join('\n')}\n`);
  }
  if (config.beforeFile) await desk.land('sales', `${config.beforeFile.join('\n')}\n`);
  const options = { name, ...(config.source === undefined ? {} : { source: config.source }) };
  const before = await everything(desk);
  let landed: ImportOutcome;
  try {
    landed = await desk.land(kind, content, options);
  } catch (cause) {
    if (!(cause instanceof PayrunError)) throw cause;
    if (JSON.stringify(await everything(desk)) !== JSON.stringify(before))
      throw new Error('The file was refused, but something of it was kept.');
    if ((await readdir(path.join(desk.workspace, 'rejects')).catch(() => [])).length > 0)
      throw new Error('The file was refused, but left a rejects file.');
    const { message, place, found } = cause;
    return present({
      refused: `${message} (${path.basename(place?.file ?? '')}:${place?.line ?? '-'})`,
      found,
    });
  }
  const outcome = present({
    preset: landed.report.layout?.preset,
    counts: present(landed.counts),
    totals: landed.totals,
    warnings: landed.report.warnings,
    changes: landed.report.changes,
    rejected: await rejectedRows(desk, landed, statedEncoding(config)),
    conflicts: landed.report.conflict_rows,
    ...(await everything(desk)),
  });
  await again(desk, kind, content, options, landed);
  return outcome;
}

/** What must hold of every file that landed. */
async function again(
  desk: Desk,
  kind: 'sales' | 'events',
  content: Buffer,
  options: { name: string },
  { counts, report }: ImportOutcome,
): Promise<void> {
  const { rows, ...ended } = counts;
  if (Object.values(ended).reduce((sum, count) => sum + count) !== rows)
    throw new Error('The counts do not add up.');
  const before = await everything(desk);
  const second = await desk.land(kind, content, { ...options, again: true });
  const { recorded, updated, duplicates, conflicts } = second.counts;
  const known = counts.recorded! + counts.updated! + counts.duplicates! + counts.conflicts! + counts.parked!;
  if (recorded !== 0 || updated !== 0 || duplicates! + conflicts! + second.counts.parked! !== known)
    throw new Error(`Imported again it gives ${JSON.stringify(second.counts)}.`);
  if (report.rejects_file !== null) {
    const rejects = await readFile(path.join(desk.workspace, report.rejects_file));
    const back = await desk.land(kind, rejects, { ...options, name: `again-${options.name}` });
    // Misplaced quotes are written where they belong; looking at the row is all that is left to do about them.
    const quotes = report.rejected_groups.find((group) => group.code === 'quote')?.rows ?? 0;
    const missing = counts.rejected! - back.counts.rejected!;
    if (missing < 0 || missing > quotes || back.counts.rows !== counts.rejected)
      throw new Error(`The rejects file imported back gives ${JSON.stringify(back.counts)}.`);
    if (quotes > 0) return;
  }
  if (JSON.stringify(await everything(desk)) !== JSON.stringify(before))
    throw new Error('Imported again it changes something.');
}

/** `line n code field: message` of each row of the rejects file. */
async function rejectedRows(desk: Desk, { report }: ImportOutcome, encoding?: string): Promise<string[]> {
  if (report.rejects_file === null) return [];
  const text = textOf(await readFile(path.join(desk.workspace, report.rejects_file)), encoding);
  const rows = report.rejects_file.endsWith('.csv') ? csvRows(text) : ndjsonRows(text);
  return rows.map(
    ([line, error, field, message, suggestion]) =>
      `line ${line} ${error} ${field}: ${message}${suggestion ? ` Suggested: ${suggestion}` : ''}`,
  );
}

/** The encoding that the case's one source states. */
function statedEncoding({ sources = [] }: FixtureConfig): string | undefined {
  return sources.length === 1 ? (sources[0]?.encoding as string | undefined) : undefined;
}

/** The text of a rejects file, as a person opens it who knows where the file came from. */
function textOf(bytes: Buffer, stated: string | undefined): string {
  const marked = [
    ['utf-8', 'efbbbf'],
    ['utf-16le', 'fffe'],
    ['utf-16be', 'feff'],
  ].find(([, mark]) => bytes.toString('hex').startsWith(mark!));
  return iconv.decode(bytes, marked?.[0] ?? stated ?? (isUtf8(bytes) ? 'utf-8' : 'windows-1252'));
}

/** What stands behind the original cells, however many those are. */
function csvRows(text: string): string[][] {
  const delimiter = /(.)error\1field\1message/.exec(text)![1]!;
  const rows: string[][] = parse(text.replace(/^sep=.\r\n/, ''), { delimiter, relax_column_count: true });
  return rows.slice(1).map((cells) => cells.slice(-5));
}

function ndjsonRows(text: string): string[][] {
  const bodies = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, string>);
  return bodies.map(({ line, error, field, message, suggestion }) => [
    line!,
    error!,
    field!,
    message!,
    suggestion ?? '',
  ]);
}

/** All that an account knows about sales and customers, without ids and times of import. */
async function everything({ world }: Desk): Promise<Record<string, unknown>> {
  const sales = [...(await booked(world)).values()].map((row) =>
    present({
      external_id: row.external_id,
      affiliate: row.affiliate,
      amount: `${formatAmount(row.amount, row.currency)} ${row.currency}`,
      occurred_at: row.occurred_at.toISOString(),
      status: row.sales_status,
      earns:
        row.commission === null
          ? `nothing: ${row.no_commission_reason}`
          : `${formatAmount(row.commission, row.commission_currency!)} ${row.commission_currency}${row.incentive ? ` by ${row.incentive}` : ''}${row.rate_ppm === null ? '' : `, ${formatPercent(row.rate_ppm)} %`}`,
      held_until: row.hold_until?.toISOString(),
    }),
  );
  const known = await referrals(world);
  const { rows: events } = await sql<Record<string, unknown>>`
    select e.external_event_id as id, e.event_type as type, e.event_name as name, e.action, e.referral_status, e.occurred_at, e.line
    from event e where account_id = ${world.accountId} order by line`.execute(world.db.sql);
  const { rows: parked } = await sql<Record<string, unknown>>`
    select line, external_event_id as id from parked_event where account_id = ${world.accountId} order by line`.execute(
    world.db.sql,
  );
  const { rows: refunds } = await sql<Record<string, unknown>>`
    select r.external_id as id, c.external_id as of, r.amount, r.currency, m.amount as commission, m.currency as commission_currency, m.status,
      case when r.occurred_at_given then r.occurred_at end as occurred_at
    from refund r join conversion c on c.account_id = r.account_id and c.id = r.conversion_id
    left join commission m on m.account_id = r.account_id and m.id = r.id
    where r.account_id = ${world.accountId} order by r.external_id collate "C"`.execute(world.db.sql);
  const { rows: waiting } = await sql<Record<string, unknown>>`
    select external_id as id, sale_external_id as of, line, code from parked_refund
    where account_id = ${world.accountId} order by external_id collate "C"`.execute(world.db.sql);
  return {
    sales,
    refunds: refunds.map(({ amount, currency, commission, commission_currency, occurred_at, ...row }) =>
      present({
        ...row,
        amount: `${formatAmount(amount as bigint, currency as string)} ${currency}`,
        takes_back:
          commission &&
          `${formatAmount(commission as bigint, commission_currency as string)} ${commission_currency}`,
        occurred_at: (occurred_at as Date | null)?.toISOString(),
      }),
    ),
    waiting_refunds: waiting.map(present),
    referrals: known.map((row) =>
      present({
        ...row,
        created_at: row.created_at.toISOString(),
        converted_at: row.converted_at?.toISOString(),
      }),
    ),
    events: events.map((row) => present({ ...row, occurred_at: (row.occurred_at as Date).toISOString() })),
    parked: parked.map(present),
  };
}

/** Without what is empty, zero or missing. */
function present(values: Record<string, unknown>): Record<string, unknown> {
  const isPresent = (value: unknown) =>
    value !== undefined &&
    value !== null &&
    value !== 0 &&
    (typeof value !== 'object' || Object.keys(value).length > 0);
  return Object.fromEntries(Object.entries(values).filter(([, value]) => isPresent(value)));
}
