import { sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import { newIdPrefix } from '../ids.ts';
import { type Cause, correct, createCorrections } from './correct.ts';
import type { Mover } from './journal.ts';
import { recount } from './reverse/recount.ts';

/** Creates the temporary table `taken` anew: the sales of `family` that `takeBack` is to take back. */
export async function createTaken(session: Session): Promise<void> {
  await session.client.query(
    'create temp table if not exists taken (id uuid primary key) on commit drop; truncate taken',
  );
}

/**
 * What stands behind the external id of something that was taken back, so that the same id can come again as new. No
 * file can have it by chance: nobody knows the id of the import, or of the conflict, before it is there.
 */
export function tailOf(cause: Cause): string {
  return 'importId' in cause ? `#undone:${cause.importId}` : `#replaced:${cause.conflictId}`;
}

/** The external id that a sale or refund came with, also when it was accepted, or taken back. */
export function givenId(externalId: string): string {
  return externalId.replace(/(#(accepted|undone|replaced):[0-9a-f-]{36})+$/, '');
}

/**
 * Takes back the sales in `taken` and, with an import for a cause, the refunds and disputes that it brought to other
 * sales. All of these sales are in `family` and locked. Each commission and its reversals then sum to what is still
 * earned, which is nothing for a sale taken back (see `correct`). What other imports brought of refunds and disputes for
 * these sales waits again, as if it had come before its sale. `why` is stored with everything that counts no more.
 */
export async function takeBack(session: Session, mover: Mover, cause: Cause, why: string): Promise<void> {
  const tail = tailOf(cause);
  const importId = 'importId' in cause ? cause.importId : null;
  await session.client.query('analyze taken; analyze family');
  await parkRefunds(session, mover, importId);
  await parkDisputes(session, mover, importId);
  await withdraw(session, mover, { importId, tail, why });
  await stageCorrections(session, mover);
  await correct(session, mover, cause, why);
}

async function parkRefunds(session: Session, { accountId, now }: Mover, importId: string | null) {
  await sql`/* ledger.take_back.park_refunds */
    insert into parked_refund (account_id, id, external_id, sale_external_id, amount, is_total, currency, occurred_at,
      occurred_at_given, gives_back, made_at, accepted, import_id, line)
    select ${accountId}::integer, (${newIdPrefix(now)} || lpad(to_hex(row_number() over (order by r.place, r.id)), 10, '0'))::uuid,
      r.external_id, c.external_id, r.stated_amount, r.is_total, r.currency, r.occurred_at, r.occurred_at_given, r.gives_back,
      r.made_at, r.accepted, r.import_id, r.line
    from refund r join taken on taken.id = r.conversion_id
    join conversion c on c.account_id = ${accountId} and c.id = r.conversion_id
    where r.account_id = ${accountId} and r.taken_back is null and r.dispute_id is null
      and r.import_id is distinct from ${importId}::uuid
    on conflict do nothing`.execute(session.sql);
}

/** A dispute came in two words, its opening and its end, which may be of two imports. */
async function parkDisputes(session: Session, { accountId, now }: Mover, importId: string | null) {
  await sql`/* ledger.take_back.park_disputes */
    with word as (
      select d.id, d.external_id, d.conversion_id, d.amount, d.currency, d.line, word.*
      from dispute d join taken on taken.id = d.conversion_id
      left join lateral (
        select import_id from refund r
        where r.account_id = ${accountId} and r.dispute_id = d.id and r.taken_back is null order by r.place desc limit 1
      ) r on true
      cross join lateral (values
        ('opened', d.opened_at, d.import_id),
        (case when d.status <> 'open' then d.status end, d.closed_at, coalesce(r.import_id, d.import_id))
      ) word (state, occurred_at, brought_by)
      where d.account_id = ${accountId} and d.status <> 'withdrawn'
    )
    insert into parked_dispute (account_id, id, external_id, state, sale_external_id, amount, currency, occurred_at, import_id, line)
    select ${accountId}::integer, (${newIdPrefix(now)} || lpad(to_hex(row_number() over (order by word.id, state desc)), 10, '0'))::uuid,
      word.external_id, state, c.external_id, word.amount, word.currency, word.occurred_at, brought_by, word.line
    from word join conversion c on c.account_id = ${accountId} and c.id = word.conversion_id
    where state is not null and word.occurred_at is not null and brought_by is distinct from ${importId}::uuid
    on conflict do nothing`.execute(session.sql);
}

/** Marks refunds, disputes and sales, in this order: each is judged by what is left of the one before. */
async function withdraw(
  session: Session,
  { accountId }: Mover,
  { importId, tail, why }: { importId: string | null; tail: string; why: string },
): Promise<void> {
  await sql`/* ledger.take_back.refunds */
    update refund r set taken_back = ${why}, external_id = r.external_id || ${tail}
    where r.account_id = ${accountId} and r.taken_back is null
      and (r.import_id = ${importId}::uuid and not r.accepted or r.conversion_id in (select id from taken))`.execute(
    session.sql,
  );
  await recount(session, accountId);
  // Of its ends, the last that still counts is the one that the dispute has.
  await sql`/* ledger.take_back.ends */
    update dispute d set status = case when last.gives_back then 'won' else 'lost' end, closed_at = last.occurred_at
    from (
      select distinct on (r.dispute_id) r.dispute_id, r.gives_back, r.occurred_at from refund r
      where r.account_id = ${accountId} and r.taken_back is null and r.dispute_id in (
        select dispute_id from refund where account_id = ${accountId} and import_id = ${importId}::uuid)
      order by r.dispute_id, r.place desc
    ) last
    where d.account_id = ${accountId} and d.id = last.dispute_id and d.status in ('won', 'lost')`.execute(
    session.sql,
  );
  await sql`/* ledger.take_back.disputes */
    update dispute d set
      status = case when judged.is_over then 'withdrawn' else 'open' end,
      closed_at = case when judged.is_over then d.closed_at end,
      external_id = case when judged.is_over then d.external_id || ${tail} else d.external_id end
    from (
      select d.id, d.conversion_id in (select id from taken) or d.import_id = ${importId}::uuid as is_over
      from dispute d
      where d.account_id = ${accountId} and d.status <> 'withdrawn'
        and (d.conversion_id in (select id from taken)
          or (d.import_id = ${importId}::uuid or d.id in (
            select dispute_id from refund where account_id = ${accountId} and import_id = ${importId}::uuid))
          and not exists (
            select from refund r where r.account_id = ${accountId} and r.dispute_id = d.id and r.taken_back is null))
    ) judged
    where d.account_id = ${accountId} and d.id = judged.id`.execute(session.sql);
  // With nothing taken but some of it given back before, the sale may be refunded again.
  await sql`/* ledger.take_back.refunded */
    update conversion c set sales_status = case coalesce(left_of.amount, 0) when 0 then 'complete' when c.amount then 'refunded'
      else 'partial_refunded' end
    from family f left join (
      select conversion_id, sum(amount) as amount from refund
      where account_id = ${accountId} and taken_back is null and conversion_id in (select id from family) group by conversion_id
    ) left_of on left_of.conversion_id = f.id
    where c.account_id = ${accountId} and c.id = f.id
      and (c.sales_status in ('refunded', 'partial_refunded') or left_of.amount > 0)`.execute(session.sql);
  await sql`/* ledger.take_back.sales */
    update conversion c set taken_back = ${why}, external_id = c.external_id || ${tail}
    from taken where c.account_id = ${accountId} and c.id = taken.id and c.taken_back is null`.execute(
    session.sql,
  );
}

async function stageCorrections(session: Session, { accountId, now }: Mover): Promise<void> {
  await createCorrections(session);
  await sql`/* ledger.take_back.stage */
    insert into correction_stage (id, conversion_id, earned)
    select (${newIdPrefix(now)} || lpad(to_hex(row_number() over (order by f.id)), 10, '0'))::uuid, f.id,
      case when taken.id is null then 0 else -o.amount - coalesce(earlier.earned, 0) end
    from family f join commission o on o.account_id = ${accountId} and o.id = f.id
    left join taken on taken.id = f.id
    left join (
      select conversion_id, sum(earned) as earned from correction
      where account_id = ${accountId} and conversion_id in (select id from taken) group by conversion_id
    ) earlier on earlier.conversion_id = f.id`.execute(session.sql);
}
