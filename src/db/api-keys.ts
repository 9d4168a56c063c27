import { createHash, randomBytes } from 'node:crypto';
import { type RawBuilder, sql } from 'kysely';
import { newId } from '../ids.ts';
import type { Db, Sql } from './connect.ts';
import type { ApiKeyKind, ApiKeyRow } from './tables.ts';

/** What a key may be made for, and how its text begins. */
export const keyPrefixes: Record<ApiKeyKind, string> = {
  affonso: 'sk_live_',
  affilut: 'aff_',
  entries: 'sk-ak-',
  payrun: 'pr_live_',
};

/** What a key may allow. `status` lets a request say which status a commission has. */
export const keyScopes = ['read', 'write', 'status'] as const;

export type KeyScope = (typeof keyScopes)[number];

/** A key without what is secret of it. */
export type ApiKey = Omit<ApiKeyRow, 'hash' | 'signing_secret' | 'account_id'> & { signed: boolean };

/** Makes a key; returns its id and its text, which is stored nowhere. `sealed` seals a signing secret for the key's id. */
export async function createKey(
  db: Pick<Db, 'sql'>,
  accountId: number,
  key: { name: string; kind: ApiKeyKind; scopes: KeyScope[]; sourceId: string | null; now: Date },
  sealed: ((id: string) => Buffer) | undefined,
): Promise<{ id: string; text: string }> {
  const id = newId(key.now);
  const text = `${keyPrefixes[key.kind]}${accountId.toString(36)}${separator}${randomText()}`;
  await db.sql
    .insertInto('api_key')
    .values({
      account_id: accountId,
      id,
      name: key.name,
      kind: key.kind,
      scopes: key.scopes,
      source_id: key.sourceId,
      hash: hashOf(text),
      signing_secret: sealed?.(id) ?? null,
      created_at: key.now,
    })
    .execute();
  return { id, text };
}

/** The account's keys, the newest first. */
export async function listKeys({ sql: db }: Pick<Db, 'sql'>, accountId: number): Promise<ApiKey[]> {
  return db
    .selectFrom('api_key')
    .select(['id', 'name', 'kind', 'scopes', 'source_id', 'created_at', 'last_used_at', 'revoked_at'])
    .select(({ eb }) => eb('signing_secret', 'is not', null).as('signed'))
    .where('account_id', '=', accountId)
    .orderBy('id', 'desc')
    .execute() as Promise<ApiKey[]>;
}

/** Revokes a key from `now` on. Returns whether there is such a key; one that was revoked before keeps its moment. */
export async function revokeKey(
  { sql: db }: Pick<Db, 'sql'>,
  accountId: number,
  id: string,
  now: Date,
): Promise<boolean> {
  const revoked = await db
    .updateTable('api_key')
    .set(({ fn, val }) => ({ revoked_at: fn.coalesce('revoked_at', val(now)) }))
    .where('account_id', '=', accountId)
    .where('id', '=', id)
    .executeTakeFirst();
  return revoked.numUpdatedRows > 0n;
}

/** A request that asks to be let in: the account and hash that its key says, and what it counts as. */
export interface Asked {
  accountId: number;
  hash: Buffer;
  class: string;
}

/** Whom a request is from, and how many of its class the key has made in this minute, this one among them. */
export interface LetIn {
  accountId: number;
  accountRef: string;
  key: Pick<ApiKeyRow, 'id' | 'kind' | 'scopes' | 'source_id' | 'signing_secret'> & {
    /** That of its source, where it has one. */
    source_ref: string | null;
  };
  used: number;
}

/**
 * Looks the keys of some requests up and counts the requests, in one statement however many they are; undefined for a
 * key that is unknown or revoked. `minute` is the start of the present one. The count is right over all processes.
 */
export async function letIn(
  db: Sql,
  asked: Asked[],
  now: Date,
  minute: Date,
): Promise<(LetIn | undefined)[]> {
  const rows = asked.map(
    (one, n): RawBuilder<unknown> =>
      sql`(${n}::integer, ${one.accountId}::integer, ${one.hash}::bytea, ${one.class}::text)`,
  );
  const found = await sql<Row>`/* api.let_in */
    with asked (n, account_id, hash, class) as (values ${sql.join(rows)}),
    known as materialized (
      select asked.n, asked.class, a.ref, k.account_id, k.id, k.kind, k.scopes, k.source_id, k.signing_secret, s.ref as source_ref,
        row_number() over (partition by k.account_id, k.id, asked.class order by asked.n) as place
      from asked
      join api_key k on k.account_id = asked.account_id and k.hash = asked.hash and k.revoked_at is null
      join account a on a.account_id = k.account_id
      left join source s on s.account_id = k.account_id and s.id = k.source_id
    ),
    counted as (
      insert into request_count as r (account_id, key_id, class, minute, used)
      select account_id, id, class, ${minute}::timestamptz, count(*)::integer from known group by 1, 2, 3 order by 1, 2, 3
      on conflict (account_id, key_id, class) do update set minute = excluded.minute,
        used = case when r.minute = excluded.minute then r.used + excluded.used else excluded.used end
      returning account_id, key_id, class, used
    ),
    used as (
      update api_key k set last_used_at = ${now}::timestamptz
      where (k.account_id, k.id) in (select account_id, id from known)
        and (k.last_used_at is null or k.last_used_at < ${minute}::timestamptz)
    )
    select known.n, known.account_id, known.ref, known.id, known.kind, known.scopes, known.source_id, known.signing_secret,
      known.source_ref,
      (counted.used - (max(known.place) over (partition by known.account_id, known.id, known.class)) + known.place)::integer as used
    from known join counted on counted.account_id = known.account_id and counted.key_id = known.id
      and counted.class = known.class`.execute(db);
  const answers: (LetIn | undefined)[] = asked.map(() => undefined);
  for (const { n, account_id, ref, used, ...key } of found.rows)
    answers[n] = { accountId: account_id, accountRef: ref, key, used };
  return answers;
}

interface Row extends LetInKey {
  n: number;
  account_id: number;
  ref: string;
  used: number;
}
type LetInKey = LetIn['key'];

const separator = '_';
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/** 160 random bits. */
function randomText(): string {
  return [...randomBytes(32)].map((byte) => alphabet[byte & 31]).join('');
}

/** What the text of a key says of itself; undefined for a text that is no key. */
export function readKey(text: string): { accountId: number; kind: ApiKeyKind; hash: Buffer } | undefined {
  const kind = (Object.keys(keyPrefixes) as ApiKeyKind[]).find((one) => text.startsWith(keyPrefixes[one]));
  if (kind === undefined || text.length > 100) return undefined;
  const [account = '', random] = text.slice(keyPrefixes[kind].length).split(separator);
  const accountId = Number.parseInt(account, 36);
  if (random === undefined || !/^[0-9a-z]{1,6}$/.test(account) || accountId > 2_147_483_647) return undefined;
  return { accountId, kind, hash: hashOf(text) };
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
