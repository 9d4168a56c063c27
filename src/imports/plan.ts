import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import { PayrunError } from '../errors.ts';
import { canonicalJson } from '../runs/identity.ts';
import type { Work } from '../runs/work.ts';

/** What an import rests on besides the code: it does the same again as long as these are the same. */
export interface PlanSubject {
  sha256: string;
  /** Everything that the command was told about the file. */
  options: Record<string, unknown>;
}

const parts = ['file', 'configuration', 'ledger'] as const;

/**
 * A code for what a rehearsed import was seen to do: six characters for the file, for the configuration (the account in
 * payrun.json and in the database, the rates of exchange and what the command was told) and for the account's ledger.
 * To be called in the import's own transaction, before it changes anything.
 */
export async function planCode(session: Session, work: Work, subject: PlanSubject): Promise<string> {
  const { accounts, workspace } = work.context.config;
  const account = accounts.find((one) => one.ref === work.account.ref);
  const rates = await readFile(path.join(workspace, 'rates.csv'), 'utf8').catch(() => '');
  const configuration = canonicalJson({
    account,
    rates,
    options: subject.options,
    applied: await appliedTerms(session, work.account.id),
  });
  return [subject.sha256, configuration, await ledgerState(session, work.account.id)].map(short).join('-');
}

/** Raises `plan-outdated`, naming what has changed, unless `given` is what `planCode` says now. */
export async function assertPlan(
  session: Session,
  work: Work,
  subject: PlanSubject,
  given: string,
): Promise<void> {
  if (!planPattern.test(given)) {
    throw new PayrunError('usage', 'This is no code of a plan.', {
      place: { field: '--plan' },
      found: given,
      todo: 'Give the code that the import ends with when it is started with --dry-run.',
    });
  }
  const now = (await planCode(session, work, subject)).split('-');
  const then = given.toUpperCase().split('-');
  const changed = parts.filter((_, place) => now[place] !== then[place]);
  if (changed.length === 0) return;
  // Nothing of the code fits: it is more likely of another file, or mistyped, than that all has changed.
  const what =
    changed.length === parts.length
      ? 'This is the code of another plan, or everything has changed since: the file, the configuration and the ledger.'
      : `Since the plan was made, ${listed(changed)} changed.`;
  throw new PayrunError('plan-outdated', what, {
    place: { field: '--plan' },
    found: given,
  });
}

const planPattern = /^[0-9A-HJKMNP-TV-Z]{6}-[0-9A-HJKMNP-TV-Z]{6}-[0-9A-HJKMNP-TV-Z]{6}$/i;
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Thirty bits of the text's SHA-256, in characters that nobody mistakes for others. */
function short(text: string): string {
  const bits = createHash('sha256').update(text).digest().readUInt32BE(0);
  return Array.from({ length: 6 }, (_, place) => alphabet[(bits >>> (2 + place * 5)) & 31]).join('');
}

function listed(changed: string[]): string {
  const names = changed.map((part) => `the ${part}`);
  const last = names.pop()!;
  return names.length === 0 ? `${last} has` : `${names.join(', ')} and ${last} have`;
}

async function appliedTerms(session: Session, accountId: number): Promise<unknown> {
  const applied = await sql<{ terms: unknown }>`/* imports.plan.terms */
    select jsonb_build_object(
      'programs', (select jsonb_agg(to_jsonb(p) order by p.id) from program p where p.account_id = ${accountId}),
      'incentives', (select jsonb_agg(to_jsonb(i) order by i.id) from incentive i where i.account_id = ${accountId})
    ) as terms`.execute(session.sql);
  return applied.rows[0]!.terms;
}

/**
 * How much the account's ledger has seen. Everything that an import depends on leaves a row in one of these, which only
 * ever grow: sales, refunds, affiliates and referrals come with an import, and money moves with a posting. What was
 * parked comes with an import too, and is parked no longer when it is recorded, even where that moves no money.
 */
async function ledgerState(session: Session, accountId: number): Promise<string> {
  const all = (table: 'import' | 'posting' | 'event' | 'parked_event' | 'parked_refund' | 'parked_dispute') =>
    sql`(select count(*) from ${sql.table(table)} where account_id = ${accountId})`;
  const state = await sql<{ state: string }>`/* imports.plan.ledger */
    select concat_ws(' ', ${all('import')}, ${all('posting')}, ${all('event')},
      ${all('parked_event')}, ${all('parked_refund')}, ${all('parked_dispute')},
      (select count(*) from import where account_id = ${accountId} and undone_at is not null),
      (select string_agg(status || ' ' || n, ' ' order by status) from (
        select status, count(*) as n from conflict where account_id = ${accountId} group by status) c)) as state`.execute(
    session.sql,
  );
  return state.rows[0]!.state;
}
