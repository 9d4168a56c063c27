import { type RawBuilder, sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import { createFamily, lockFamilies } from './family.ts';

/** Refunds or disputes, which are staged like the rows of a file, and wait in a table while their sale is not known. */
export interface Parking {
  stage: 'refund_stage' | 'dispute_stage';
  parked: 'parked_refund' | 'parked_dispute';
  /** The columns that both tables have, besides `line`, `import_id` and the two external ids. */
  facts: readonly string[];
  /** Whether a staged row `s` stands for the parked `p` of the same id, and says something else than it. */
  replaces: RawBuilder<unknown>;
  /** Parked rows are staged under numbers below this one, which no record of a file has. */
  below: number;
}

/** Whether some of them wait whose sale is known by now. */
export async function hasParked(
  session: Session,
  accountId: number,
  { parked }: Pick<Parking, 'parked'>,
): Promise<boolean> {
  const found = await sql`/* ledger.parked.waiting */
    select from ${sql.table(parked)} p ${itsSale(accountId, 'p')} where p.account_id = ${accountId} limit 1`.execute(
    session.sql,
  );
  return found.rows.length > 0;
}

/**
 * Gathers what is to be judged: the staged rows, which `importId` has brought, and those parked by earlier imports whose
 * sale is known now. The sales of those rows `s` that are `fresh` are then in `family`, and locked. What was parked comes
 * before the rows of the file, which may be doubles of it. A row with other facts replaces a parked one: nothing was
 * booked that it could be in conflict with.
 */
export async function gather(
  session: Session,
  accountId: number,
  importId: string | null,
  { stage, parked, facts, replaces, below }: Parking,
  fresh: RawBuilder<unknown> = sql`true`,
): Promise<void> {
  const columns = sql.join(facts.map((fact) => sql.ref(fact)));
  await sql`/* ledger.parked.origin */
    update ${sql.table(stage)} set import_id = ${importId}::uuid where import_id is null`.execute(
    session.sql,
  );
  await sql`/* ledger.parked.replace */
    delete from ${sql.table(parked)} p using ${sql.table(stage)} s
    where p.account_id = ${accountId} and p.external_id = s.external_id and ${replaces}`.execute(session.sql);
  await sql`/* ledger.parked.take */
    insert into ${sql.table(stage)} (n, line, external_id, sale_external_id, ${columns}, parked_id, import_id)
    select ${below}::integer - row_number() over (order by p.id desc), line, external_id, sale_external_id, ${columns}, p.id, import_id
    from (select * from ${sql.table(parked)} where account_id = ${accountId} order by id for update) p ${itsSale(accountId, 'p')}`.execute(
    session.sql,
  );
  await session.client.query(`analyze ${stage}`);
  await createFamily(session);
  await sql`/* ledger.parked.family */
    insert into family
    select distinct c.id from ${sql.table(stage)} s ${itsSale(accountId, 's')} where ${fresh}`.execute(
    session.sql,
  );
  await lockFamilies(session, accountId);
}

/** Joins the sale `c` that a row names, looked up row by row: such rows are few beside the sales. */
function itsSale(accountId: number, row: 'p' | 's'): RawBuilder<unknown> {
  return sql`cross join lateral (
      select id from conversion where account_id = ${accountId} and external_id = ${sql.ref(`${row}.sale_external_id`)} limit 1
    ) c`;
}
