import { type Selectable, sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import type { ImportRow } from '../db/tables.ts';
import { PayrunError } from '../errors.ts';
import { showId } from '../ids.ts';
import { createFamily, lockFamilies } from './family.ts';
import type { Mover } from './journal.ts';
import { personNamed } from './person.ts';
import { plannedFor, refreshStaleStatistics } from './statistics.ts';
import { createTaken, tailOf, takeBack } from './take-back.ts';
import { type Holding, readHoldings, readSums, type Sums } from './undo/account.ts';
import { giveUpParked, type Settled, settleOthers } from './undo/settle.ts';

export type { Holding, Sums } from './undo/account.ts';

/** What an undone import had brought, as it was before. */
export interface Undone {
  import: Selectable<ImportRow>;
  /** By currency. */
  sums: Sums[];
  /** What the affiliates had of its sales, by where it was; those with most of it first. */
  holdings: Holding[];
  /** Net of the lines that were booked for it, by currency, in minor units. */
  booked: Map<string, bigint>;
  counts: { sales: number; refunds: number; disputes: number } & Settled;
}

/** Why the sales and refunds of an undone import count no more. */
const undoneReason = 'the import was undone';

/**
 * Takes back all that an import of sales or events has brought, as a set: its sales and refunds count no more, and their
 * commissions are taken back to the cent (see `takeBack`). Their external ids, those of its events and the file itself
 * may then come again as new. What it parked is given up, its open conflicts are withdrawn, as are those about its sales;
 * refunds and disputes that other imports brought for its sales wait for these to come again. What stays: referrals and
 * their status, the status that it moved other sales on to, and what a person accepted of its sales and totals.
 * Raises `usage` without a name or a reason, `not-found`, and `state` for an import of people or one undone before.
 */
export async function undoImport(
  session: Session,
  mover: Mover,
  { importId, by, reason }: { importId: string; by: string; reason: string },
): Promise<Undone> {
  const { accountId, runId, now } = mover;
  const name = personNamed(by, 'Undoing an import');
  if (reason.trim() === '') throw new PayrunError('usage', 'Undoing an import needs a reason.');
  const found = await lockImport(session, accountId, importId);
  const parked = await giveUpParked(session, accountId, importId);
  await refreshStaleStatistics(session);
  const sales = await collect(session, accountId, importId);
  const undone = await plannedFor(sales, session, () =>
    takeCollectedBack(session, mover, { importId, by: name, parked }),
  );
  await session.sql
    .updateTable('import')
    .set({ undone_at: now, undone_by: name, undone_reason: reason.trim(), undone_run_id: runId })
    .where('account_id', '=', accountId)
    .where('id', '=', importId)
    .where('undone_at', 'is', null)
    .execute();
  return { import: found, ...undone };
}

/** Takes the sales in `taken` back, with all that hangs together with them and the import. */
async function takeCollectedBack(
  session: Session,
  mover: Mover,
  { importId, by, parked }: { importId: string; by: string; parked: number },
): Promise<Omit<Undone, 'import'>> {
  const { accountId } = mover;
  await lockCollected(session, accountId);
  const holdings = await readHoldings(session, accountId);
  const sums = await readSums(session, accountId, importId, holdings);
  const marked = await countTaken(session, accountId, importId);
  await takeBack(session, mover, { importId }, undoneReason);
  const tail = tailOf({ importId });
  const settled = await settleOthers(session, mover, { importId, by, tail, why: undoneReason, parked });
  return { sums, holdings, booked: await readBooked(session, accountId), counts: { ...marked, ...settled } };
}

async function lockImport(
  session: Session,
  accountId: number,
  importId: string,
): Promise<Selectable<ImportRow>> {
  const found = await session.sql
    .selectFrom('import')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('id', '=', importId)
    .forUpdate()
    .executeTakeFirst();
  const shown = showId('import', importId);
  if (!found)
    throw new PayrunError('not-found', 'There is no import with this id.', {
      found: shown,
      todo: 'Check the id; "payrun imports list" shows what there is.',
    });
  if (found.kind === 'api')
    throw new PayrunError('state', 'What came by request in a day can’t be undone as a set.', {
      found: shown,
      todo: 'Send a refund for each sale that is wrong, or import a file of refunds.',
    });
  if (found.kind !== 'sales' && found.kind !== 'events')
    throw new PayrunError('state', `An import of ${found.kind} can't be undone; only sales and events can.`, {
      found: shown,
      todo: `Import a file of ${found.kind} with what is right; it replaces what is there.`,
    });
  if (found.undone_at !== null)
    throw new PayrunError('state', `The import was undone before, by ${found.undone_by}.`, {
      found: shown,
      todo: `Look at it with "payrun imports show ${shown}".`,
    });
  return found;
}

/**
 * Fills `taken` with the import's sales, and `family` with these and all that its refunds and disputes are about; returns
 * how many these are. A version that a person accepted has the line of its conflict, and stays.
 */
async function collect(session: Session, accountId: number, importId: string): Promise<number> {
  await createTaken(session);
  await createFamily(session);
  await sql`/* ledger.undo.taken */
    insert into taken
    select c.id from conversion c
    where c.account_id = ${accountId} and c.import_id = ${importId}::uuid and c.taken_back is null
      and c.line not in (
        select line from conflict where account_id = ${accountId} and import_id = ${importId}::uuid and status = 'accepted')`.execute(
    session.sql,
  );
  const sold = await session.client.query('insert into family select id from taken');
  const others = await sql`/* ledger.undo.family */
    insert into family
    select conversion_id from refund
    where account_id = ${accountId} and import_id = ${importId}::uuid and taken_back is null
    union
    select conversion_id from dispute
    where account_id = ${accountId} and import_id = ${importId}::uuid and status <> 'withdrawn'
    on conflict do nothing`.execute(session.sql);
  await session.client.query('analyze taken; analyze family');
  return (sold.rowCount ?? 0) + Number(others.numAffectedRows ?? 0n);
}

/** Locks what was collected. */
async function lockCollected(session: Session, accountId: number): Promise<void> {
  await lockFamilies(session, accountId);
  // While this waited, another version of a sale may have been accepted in its place.
  await sql`/* ledger.undo.still */
    delete from taken using conversion c
    where c.account_id = ${accountId} and c.id = taken.id and c.taken_back is not null`.execute(session.sql);
}

async function countTaken(session: Session, accountId: number, importId: string) {
  const rows = await sql<{ sales: number; refunds: number; disputes: number }>`/* ledger.undo.count */
    select (select count(*) from taken)::integer as sales,
      (select count(*) from refund where account_id = ${accountId} and import_id = ${importId}::uuid and taken_back is null
        and dispute_id is null and not accepted)::integer as refunds,
      (select count(*) from dispute where account_id = ${accountId} and import_id = ${importId}::uuid
        and status <> 'withdrawn')::integer as disputes`.execute(session.sql);
  return rows.rows[0]!;
}

async function readBooked(session: Session, accountId: number): Promise<Map<string, bigint>> {
  const rows = await sql<{ currency: string; amount: bigint }>`/* ledger.undo.booked */
    select m.currency, sum(m.amount)::bigint as amount
    from correction_stage s join commission m on m.account_id = ${accountId} and m.id = s.id
    group by m.currency order by m.currency`.execute(session.sql);
  return new Map(rows.rows.map(({ currency, amount }) => [currency, amount]));
}
