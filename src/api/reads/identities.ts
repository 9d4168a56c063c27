import { sql } from 'kysely';
import { Batcher } from '../../batcher.ts';
import type { Db } from '../../db/connect.ts';
import { readId } from '../../ids.ts';

/** One thing by which a request names a customer. */
export interface Identifier {
  kind: 'referral' | 'customer' | 'user' | 'click';
  value: string;
}

/** What a request names: its customer, and perhaps the external id of its event. */
export interface Naming {
  accountId: number;
  externalId: string | undefined;
  identifiers: Identifier[];
}

export interface NamedReferral {
  id: string;
  ref: string | null;
  customer_id: string | null;
  external_user_id: string | null;
  click_id: string | null;
}

/** What that means: the referral of each identifier that is known, and who has the external id already. */
export interface Named {
  referrals: (Identifier & { referral: NamedReferral })[];
  earlier: { noun: 'conversion' | 'event'; id: string } | undefined;
}

const mostTogether = 200;

/** Looks up what requests name; those that come at the same time together. */
export class Identities {
  readonly #batcher: Batcher<Naming, Named>;

  constructor(db: Pick<Db, 'sql'>) {
    this.#batcher = new Batcher((namings) => find(db, namings), mostTogether);
  }

  find(naming: Naming): Promise<Named> {
    return this.#batcher.add(naming);
  }
}

type Row = Partial<NamedReferral> & {
  n: number;
  kind: Identifier['kind'] | 'external';
  value: string;
  noun: string;
};

async function find(db: Pick<Db, 'sql'>, namings: Naming[]): Promise<Named[]> {
  const asked = namings.flatMap(({ accountId, externalId, identifiers }, n) => [
    ...identifiers.map((one) => ({ n, account_id: accountId, ...one, uuid: uuidOf(one) })),
    ...(externalId === undefined ? [] : [{ n, account_id: accountId, kind: 'external', value: externalId }]),
  ]);
  const rows = await sql<Row>`/* api.identities */
    with asked as materialized (
      select * from jsonb_to_recordset(${JSON.stringify(asked)}) as a(n integer, account_id integer, kind text, value text, uuid uuid)
    )
    select a.n, a.kind, a.value, f.* from asked a
    cross join lateral (
      (select 'referral' as noun, id, ref, customer_id, external_user_id, click_id from referral r
       where a.kind = 'referral' and r.account_id = a.account_id and r.id = a.uuid limit 1)
      union all
      (select 'referral', id, ref, customer_id, external_user_id, click_id from referral r
       where a.kind = 'referral' and r.account_id = a.account_id and r.ref = a.value limit 1)
      union all
      (select 'referral', id, ref, customer_id, external_user_id, click_id from referral r
       where a.kind = 'customer' and r.account_id = a.account_id and r.customer_id = a.value limit 1)
      union all
      (select 'referral', id, ref, customer_id, external_user_id, click_id from referral r
       where a.kind = 'user' and r.account_id = a.account_id and r.external_user_id = a.value limit 1)
      union all
      (select 'referral', id, ref, customer_id, external_user_id, click_id from referral r
       where a.kind = 'click' and r.account_id = a.account_id and r.click_id = a.value limit 1)
      union all
      (select 'conversion', id, null, null, null, null from conversion c
       where a.kind = 'external' and c.account_id = a.account_id and c.external_id = a.value limit 1)
      union all
      (select 'event', id, null, null, null, null from event e
       where a.kind = 'external' and e.account_id = a.account_id and e.external_event_id = a.value limit 1)
    ) f`.execute(db.sql);
  const named: Named[] = namings.map(() => ({ referrals: [], earlier: undefined }));
  for (const { n, kind, value, noun, ...found } of rows.rows) {
    const one = named[n]!;
    if (kind !== 'external') one.referrals.push({ kind, value, referral: found as NamedReferral });
    else one.earlier ??= { noun: noun as 'conversion' | 'event', id: found.id! };
  }
  return named;
}

function uuidOf({ kind, value }: Identifier): string | undefined {
  const read = kind === 'referral' ? readId(value) : undefined;
  return read && (read.noun === undefined || read.noun === 'referral') ? read.id : undefined;
}
