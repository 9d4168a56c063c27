import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import type { SalesStatus } from '../../db/tables.ts';
import { newIdPrefix } from '../../ids.ts';
import { type Identifiers, linkIdentifiers } from '../../ledger/link.ts';
import type { Verdicts } from '../../ledger/record/verdicts.ts';
import { type ProgramTerms, postTally, record } from '../../ledger/record.ts';
import { reuseStage, type StagedSale } from '../../ledger/stage.ts';
import { StageLoader } from '../../ledger/stage-loader.ts';
import { StageWriter } from '../../ledger/stage-writer.ts';
import type { RequestDay } from './day.ts';

/** How one sale of a request ended; `rejected` says why. */
export type SaleVerdict =
  | {
      verdict: 'recorded' | 'updated' | 'duplicate' | 'conflict';
      conversionId: string;
      salesStatus: SalesStatus;
    }
  | { verdict: 'rejected'; code: string; field: string; found: string };

export interface RecordedSales {
  verdicts: SaleVerdict[];
  counts: Verdicts;
  /** Minor units by currency. */
  sales: Map<string, bigint>;
  commissions: Map<string, bigint>;
}

/**
 * Records the sales of some requests by the one door, in the caller's transaction; each has an external id, and the
 * answers are in their order. Where several have the same id the first counts, as everywhere.
 */
export async function recordSales(
  session: Session,
  { mover, importId }: RequestDay,
  program: ProgramTerms,
  sales: (StagedSale & { learns?: Identifiers | undefined })[],
): Promise<RecordedSales> {
  await linkIdentifiers(session, mover.accountId, sales);
  await reuseStage(session);
  const idPrefix = newIdPrefix(mover.now);
  const writer = new StageWriter(idPrefix);
  sales.forEach((sale, at) => {
    writer.add({ ...sale, n: at + 1, line: at + 1 });
  });
  const loader = new StageLoader(session, mover.accountId, { few: true });
  await loader.load(writer.take());
  const batch = { program, importId, hasCustomers: sales.some(namesCustomer), few: true };
  const counts = await record(session, mover, batch, false);
  const tally = await postTally(session, mover, batch);
  return { verdicts: await verdictsOf(session, mover.accountId, idPrefix, sales), counts, ...tally };
}

function namesCustomer(sale: StagedSale): boolean {
  const { referralId, referralRef, customerId, externalUserId, clickId, email } = sale;
  return (referralId ?? referralRef ?? customerId ?? externalUserId ?? clickId ?? email) !== undefined;
}

interface Found {
  external_id: string;
  id: string;
  line: number;
  sales_status: SalesStatus;
}

async function verdictsOf(
  session: Session,
  accountId: number,
  idPrefix: string,
  sales: StagedSale[],
): Promise<SaleVerdict[]> {
  const outcomes = await sql<{ n: number; verdict: string; code: string; field: string; found: string }>`
    /* imports.requests.outcomes */
    select n, verdict, coalesce(code, '') as code, coalesce(field, '') as field, coalesce(found, '') as found
    from outcome`.execute(session.sql);
  const marked = new Map(outcomes.rows.map((row) => [row.n, row]));
  const ids = sales.map((sale) => sale.externalId!);
  const found = await sql<Found>`/* imports.requests.sales */
    select c.external_id, c.id, c.line, c.sales_status from conversion c
    where c.account_id = ${accountId} and c.external_id = any(${ids})`.execute(session.sql);
  const known = new Map(found.rows.map((row) => [row.external_id, row]));
  return sales.map((sale, at) => {
    const mark = marked.get(at + 1);
    if (mark && !['conflict', 'updated'].includes(mark.verdict)) {
      const { code, field, found: text } = mark;
      return { verdict: 'rejected', code, field, found: text };
    }
    const row = known.get(sale.externalId!);
    if (!row) throw new Error(`The sale of request ${at + 1} ended in no way.`);
    const isOurs = row.id.replaceAll('-', '').startsWith(idPrefix) && row.line === at + 1;
    const verdict = isOurs
      ? 'recorded'
      : ((mark?.verdict as 'conflict' | 'updated' | undefined) ?? 'duplicate');
    return { verdict, conversionId: row.id, salesStatus: row.sales_status };
  });
}
