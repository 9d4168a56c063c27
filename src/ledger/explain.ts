import { sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import { PayrunError } from '../errors.ts';
import { type Noun, readId, showId } from '../ids.ts';
import { fold } from './stage.ts';

/**
 * Something that can be explained. A sale is a conversion, its commission, which has its id, its refunds and disputes.
 * What is parked is no part of a sale yet.
 */
export type Subject = Booked | { kind: 'parked'; id: string };

interface Booked {
  kind: 'sale' | 'payout' | 'affiliate' | 'adjustment';
  id: string;
}

type Kind = Booked['kind'];

const kinds: Partial<Record<Noun, Kind>> = {
  conversion: 'sale',
  commission: 'sale',
  payout: 'payout',
  affiliate: 'affiliate',
};

const elsewhere: Partial<Record<Noun, string>> = {
  run: 'Use "payrun runs show" for a run.',
  batch: 'Use "payrun payouts show" for a batch.',
};

/**
 * What a person means by `text` within the account: an id in either form, the external id of a sale, of a refund or of a
 * dispute, which mean their sale, the reference
 * of a payout, or one of the names of an affiliate (ref, short code, e-mail). Raises `usage` for the id of something
 * else, and where `text` means several things; `not-found` where it means none.
 */
export async function findSubject(session: Session, accountId: number, text: string): Promise<Subject> {
  const read = readId(text);
  if (read?.noun !== undefined && !kinds[read.noun]) {
    throw new PayrunError('usage', `This is the id of a ${read.noun}, which is nothing to explain.`, {
      found: text,
      todo: elsewhere[read.noun] ?? 'Give the id of a commission, a conversion, a payout or an affiliate.',
    });
  }
  const found = read
    ? await findById(session, accountId, read.id, read.noun && kinds[read.noun])
    : await findByName(session, accountId, text.trim());
  if (!read && found.length === 0) found.push(...(await findTakenBack(session, accountId, text.trim())));
  if (found.length === 1) return found[0]!;
  if (found.length === 0) {
    const parked = read ? undefined : await findParked(session, accountId, text.trim());
    if (parked) return parked;
    throw new PayrunError(
      'not-found',
      'Nothing in this account has this id, external id, reference or name.',
      {
        found: read?.noun === undefined && text.includes('@') ? '(an e-mail address)' : text,
        todo: 'Check how it is written. A row that was rejected is in the rejects file of its import: see "payrun imports list".',
      },
    );
  }
  const lines = found.map((one) => `  ${idOf(one)}  ${nouns[one.kind]}`);
  throw new PayrunError('usage', ['This means several things:', ...lines].join('\n'), {
    todo: `Give the id of the one you mean, such as ${idOf(found[0]!)}.`,
  });
}

const nouns: Record<Kind, string> = {
  sale: 'a sale and its commission',
  adjustment: 'an adjustment',
  payout: 'a payout',
  affiliate: 'an affiliate',
};

function idOf({ kind, id }: Booked): string {
  return showId(kind === 'sale' || kind === 'adjustment' ? 'commission' : kind, id);
}

async function findById(
  session: Session,
  accountId: number,
  id: string,
  kind: Kind | undefined,
): Promise<Booked[]> {
  const rows = await sql<Booked>`/* ledger.explain.by_id */
    select 'sale' as kind, id from conversion where account_id = ${accountId} and id = ${id}::uuid
    union all
    select 'sale', conversion_id from refund where account_id = ${accountId} and id = ${id}::uuid
    union all
    select 'adjustment', id from adjustment where account_id = ${accountId} and id = ${id}::uuid
    union all
    select 'payout', id from payout where account_id = ${accountId} and id = ${id}::uuid
    union all
    select 'affiliate', id from affiliate where account_id = ${accountId} and id = ${id}::uuid`.execute(
    session.sql,
  );
  return rows.rows.filter((row) => kind === undefined || row.kind === kind || isCommission(row, kind));
}

function isCommission(row: Subject, kind: Kind): boolean {
  return row.kind === 'adjustment' && kind === 'sale';
}

/** An affiliate whose name is spelt exactly like this comes before one that differs in case. */
async function findByName(session: Session, accountId: number, text: string): Promise<Booked[]> {
  const rows = await sql<Booked>`/* ledger.explain.by_name */
    select 'sale' as kind, id from conversion where account_id = ${accountId} and external_id = ${text.normalize('NFC')}
    union
    select 'sale', conversion_id from refund where account_id = ${accountId} and external_id = ${text.normalize('NFC')}
    union
    select 'sale', conversion_id from dispute where account_id = ${accountId} and external_id = ${text.normalize('NFC')}
    union all
    select 'payout', id from payout where account_id = ${accountId} and reference = ${text.toUpperCase()}
    union all
    select 'affiliate', affiliate_id from (
      select distinct affiliate_id, rank() over (order by (exact = ${text.normalize('NFC')}) desc) as place
      from affiliate_key where account_id = ${accountId} and folded = ${fold(text)}
    ) named where place = 1`.execute(session.sql);
  return rows.rows;
}

/** A sale that counts no more and had this external id; the last one, if it was there several times. */
async function findTakenBack(session: Session, accountId: number, text: string): Promise<Booked[]> {
  const rows = await sql<Booked>`/* ledger.explain.taken_back */
    with tail as (
      select '#undone:' || id as tail, undone_at as at from import where account_id = ${accountId} and undone_at is not null
      union all
      select '#replaced:' || id, decided_at from conflict
      where account_id = ${accountId} and status = 'accepted' and external_id = ${text.normalize('NFC')}
    )
    select 'sale' as kind, c.id
    from tail join conversion c on c.account_id = ${accountId} and c.external_id = ${text.normalize('NFC')} || tail.tail
    order by tail.at desc limit 1`.execute(session.sql);
  return rows.rows;
}

/** What waits to be recorded under this external id. */
async function findParked(session: Session, accountId: number, text: string): Promise<Subject | undefined> {
  const wanted = text.normalize('NFC');
  const rows = await sql<Subject>`/* ledger.explain.find_parked */
    select 'parked' as kind, id from parked_refund where account_id = ${accountId} and external_id = ${wanted}
    union all
    select 'parked', id from parked_dispute where account_id = ${accountId} and external_id = ${wanted}
    union all
    select 'parked', id from parked_event where account_id = ${accountId} and external_event_id = ${wanted}
    union all
    select 'parked', id from conversion_entry
    where account_id = ${accountId} and external_id = ${wanted} and conversion_id is null and amount > 0
    order by id limit 1`.execute(session.sql);
  return rows.rows[0];
}
