import { once } from 'node:events';
import { type RawBuilder, sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import { copyOut } from '../db/copy.ts';
import type { PayoutMethod, PayoutStatus } from '../db/tables.ts';

/** A payout as its batch was prepared: a snapshot, which nothing that happens to the affiliate changes. */
export interface PayoutLine {
  reference: string;
  destination: string;
  payeeName: string;
  /** Minor units. */
  amount: bigint;
  currency: string;
}

/** A payout with what people ask about it. */
export interface ReportLine extends PayoutLine {
  payoutId: string;
  affiliateRef: string;
  method: PayoutMethod;
  /** How many commissions it sums up. */
  lines: number;
  status: PayoutStatus;
  providerReference: string;
  reason: string;
}

/**
 * A commission in a payout, with the sale it was earned by; amounts in minor units, `occurredAt` in ISO 8601. A reversal
 * shows its sale with the refund's amount, negative unless it came back, and moment; an adjustment has no sale, and the moment it was made.
 */
export interface CommissionLine {
  payoutId: string;
  reference: string;
  affiliateRef: string;
  payeeName: string;
  method: PayoutMethod;
  status: PayoutStatus;
  commissionId: string;
  externalId: string;
  occurredAt: string;
  saleAmount: bigint | null;
  saleCurrency: string;
  amount: bigint;
  currency: string;
  ratePpm: number | null;
  incentiveRef: string;
  /** Which refund or adjustment it is; empty for what a sale earned. */
  note: string;
}

/** Which payouts of a batch, and in which state they are shown. */
export interface LineChoice {
  accountId: number;
  batchId: string;
  /**
   * For the file that leaves: the payouts that were not canceled when it was made, all of them shown as exported, so
   * that it comes out the same whatever happens to them later. Null while it was not made yet.
   */
  file: { exportedAt: Date | null } | undefined;
}

/** The payouts, a page at a time, ordered by reference. */
export async function* readPayoutLines(session: Session, choice: LineChoice): AsyncGenerator<PayoutLine[]> {
  const query = sql`/* payouts.payout-lines */ copy (
    select p.reference, p.destination, p.payee_name, p.amount, p.currency
    from payout p where ${chosen(choice)}
    order by p.reference collate "C") to stdout`;
  for await (const rows of readPages(session, query)) yield rows.map(toPayoutLine);
}

/** The same payouts as people see them, in the same order. */
export async function* readReportLines(session: Session, choice: LineChoice): AsyncGenerator<ReportLine[]> {
  const isFile = choice.file !== undefined;
  const query = sql`/* payouts.report-lines */ copy (
    select p.reference, p.destination, p.payee_name, p.amount, p.currency, p.id, a.ref, p.method, p.lines,
      ${isFile ? sql`'exported'` : sql`p.status`}, ${isFile ? sql`''` : sql`coalesce(p.provider_reference, '')`},
      ${isFile ? sql`''` : sql`coalesce(p.reason, '')`}
    from payout p join affiliate a on a.account_id = ${sql.lit(choice.accountId)} and a.id = p.affiliate_id
    where ${chosen(choice)}
    order by p.reference collate "C") to stdout`;
  for await (const rows of readPages(session, query)) yield rows.map(toReportLine);
}

/** The commissions in those payouts, a page at a time, ordered by the payout's reference, then by id. */
export async function* readCommissionLines(
  session: Session,
  choice: LineChoice,
): AsyncGenerator<CommissionLine[]> {
  const account = sql.lit(choice.accountId);
  const query = sql`/* payouts.commission-lines */ copy (
    select p.id, p.reference, a.ref, p.payee_name, p.method, p.status, m.id, coalesce(c.external_id, ''),
      coalesce(r.occurred_at, c.occurred_at, j.made_at), coalesce((-r.amount)::text, c.amount::text, ''), coalesce(c.currency, ''),
      m.amount, m.currency, coalesce(m.rate_ppm::text, ''), coalesce(i.ref, ''),
      case when r.id is not null then case when r.amount < 0 then 'refund given back ' else 'refund ' end || r.external_id when j.id is not null then 'adjustment: ' || j.reason else '' end
    from payout p
    join affiliate a on a.account_id = ${account} and a.id = p.affiliate_id
    join commission m on m.account_id = ${account} and m.payout_id = p.id
    left join conversion c on c.account_id = ${account} and c.id = coalesce(m.reverses, m.id)
    left join refund r on r.account_id = ${account} and r.id = m.id
    left join adjustment j on j.account_id = ${account} and j.id = m.id
    left join incentive i on i.account_id = ${account} and i.id = m.incentive_id
    where ${chosen(choice)}
    order by p.reference collate "C", m.id) to stdout`;
  for await (const rows of readPages(session, query)) yield rows.map(toCommissionLine);
}

function chosen({ accountId, batchId, file }: LineChoice): RawBuilder<unknown> {
  const batch = sql`p.account_id = ${sql.lit(accountId)} and p.batch_id = ${sql.lit(batchId)}::uuid`;
  if (!file) return batch;
  if (!file.exportedAt) return sql`${batch} and p.status <> 'canceled'`;
  return sql`${batch} and not (p.status = 'canceled' and p.status_at <= ${sql.lit(file.exportedAt.toISOString())}::timestamptz)`;
}

function toPayoutLine(cells: string[]): PayoutLine {
  return {
    reference: cells[0]!,
    destination: cells[1]!,
    payeeName: cells[2]!,
    amount: BigInt(cells[3]!),
    currency: cells[4]!,
  };
}

function toReportLine(cells: string[]): ReportLine {
  return {
    ...toPayoutLine(cells),
    payoutId: cells[5]!,
    affiliateRef: cells[6]!,
    method: cells[7] as PayoutMethod,
    lines: Number(cells[8]),
    status: cells[9] as PayoutStatus,
    providerReference: cells[10]!,
    reason: cells[11]!,
  };
}

function toCommissionLine(cells: string[]): CommissionLine {
  return {
    payoutId: cells[0]!,
    reference: cells[1]!,
    affiliateRef: cells[2]!,
    payeeName: cells[3]!,
    method: cells[4] as PayoutMethod,
    status: cells[5] as PayoutStatus,
    commissionId: cells[6]!,
    externalId: cells[7]!,
    occurredAt: cells[8]!.replace(' ', 'T').replace('+00', 'Z'),
    saleAmount: cells[9] === '' ? null : BigInt(cells[9]!),
    saleCurrency: cells[10]!,
    amount: BigInt(cells[11]!),
    currency: cells[12]!,
    ratePpm: cells[13] === '' ? null : Number(cells[13]),
    incentiveRef: cells[14]!,
    note: cells[15]!,
  };
}

/**
 * The rows of a `copy … to stdout` in COPY's text format, as many at a time as arrived together; none may be null.
 * COPY takes no parameters, so values stand in the statement as literals.
 */
async function* readPages(session: Session, query: RawBuilder<unknown>): AsyncGenerator<string[][]> {
  const stream = copyOut(session, query.compile(session.sql).sql);
  try {
    let rest: Buffer = Buffer.alloc(0);
    for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const end = bytes.lastIndexOf(0x0a);
      rest = bytes.subarray(end + 1);
      if (end >= 0) yield bytes.toString('utf8', 0, end).split('\n').map(toCells);
    }
  } finally {
    // Whoever stops early leaves a connection that still sends; nothing else could be asked of it until it is read.
    if (!stream.readableEnded && !stream.errored) {
      stream.resume();
      await once(stream, 'end').catch(() => {});
    }
  }
}

function toCells(row: string): string[] {
  const cells = row.split('\t');
  return row.includes('\\') ? cells.map(unescaped) : cells;
}

const escapes: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

function unescaped(cell: string): string {
  return cell.replace(/\\(.)/gs, (_, letter: string) => escapes[letter] ?? letter);
}
