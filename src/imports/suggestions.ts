import { sql } from 'kysely';
import leven from 'leven';
import type { Session } from '../db/connect.ts';
import { fold } from '../ledger/stage.ts';
import { isCurrency } from '../money.ts';
import { choices } from './faults.ts';
import type { Outcome } from './rejects.ts';

/** What could stand in the faulty cell instead, where one thing plainly could; else empty. Never about an amount. */
export type Suggest = (outcome: Pick<Outcome, 'code' | 'field' | 'found'>) => string;

/** Comparing every unknown name with every affiliate would take hours, and memory, where there are many of both. */
const mostAffiliates = 50_000;
const mostComparisons = 2_000_000;

/** Reads what suggestions for the rejected rows at hand need: the affiliates that come near to the unknown ones. */
export async function suggester(session: Session, accountId: number): Promise<Suggest> {
  const affiliates = await nearAffiliates(session, accountId);
  return ({ code, field, found }) => {
    if (code === 'affiliate-unknown') return affiliates.get(found) ?? '';
    if (code === 'currency-unknown') return currencyIn(found);
    if (code === 'choice' || code === 'event-type') return near(found, choices[field] ?? []) ?? '';
    return '';
  };
}

async function nearAffiliates(session: Session, accountId: number): Promise<Map<string, string>> {
  const unknown = await sql<{ found: string }>`/* imports.suggestions.unknown */
    select distinct found from outcome where verdict = 'rejected' and code = 'affiliate-unknown' and found not like '%@%'
    limit 1000`.execute(session.sql);
  const near = new Map<string, string>();
  if (unknown.rows.length === 0) return near;
  const affiliates = await session.sql
    .selectFrom('affiliate')
    .select(['ref', 'short_code'])
    .where('account_id', '=', accountId)
    .limit(mostAffiliates + 1)
    .execute();
  if (affiliates.length > mostAffiliates) return near;
  const most = Math.floor(mostComparisons / Math.max(1, affiliates.length));
  for (const { found } of unknown.rows.slice(0, most)) {
    const name = nearestAffiliate(found, affiliates);
    if (name !== undefined) near.set(found, name);
  }
  return near;
}

/** The ref or short code that `text` comes near to, when those of one affiliate alone do. */
function nearestAffiliate(
  text: string,
  affiliates: { ref: string; short_code: string | null }[],
): string | undefined {
  const found: string[] = [];
  for (const { ref, short_code: code } of affiliates) {
    const name = near(text, [ref]) ?? (code === null ? undefined : near(text, [code]));
    if (name !== undefined && found.push(name) > 1) return undefined;
  }
  return found[0];
}

/** The nearest of `names` within one slip of the keyboard, or two in five letters or more; undefined if two are as near. */
function near(text: string, names: readonly string[]): string | undefined {
  const folded = fold(text)!;
  const most = folded.length < 3 ? 0 : folded.length < 5 ? 1 : 2;
  let nearest = { name: undefined as string | undefined, distance: most + 1 };
  for (const name of names) {
    const other = fold(name)!;
    if (Math.abs(other.length - folded.length) > most) continue;
    const distance = leven(folded, other, { maxDistance: most + 1 });
    if (distance < nearest.distance) nearest = { name, distance };
    else if (distance === nearest.distance) nearest.name = undefined;
  }
  return nearest.name;
}

/** The code in a text such as `usd.` or `U.S.D.`, and that of the one sign which stands for one currency alone. */
function currencyIn(text: string): string {
  if (/^(€|euros?)$/i.test(text)) return 'EUR';
  const letters = text.replace(/[^\p{L}]/gu, '').toUpperCase();
  return isCurrency(letters) ? letters : '';
}
