import { sql } from 'kysely';
import type { Db } from '../../db/connect.ts';

/** A source of requests: one of payrun.json, or one that a client has made. */
export interface SourceView {
  id: string;
  /** The ref in payrun.json. */
  name: string;
  program_id: string;
  is_active: boolean;
  is_of_config: boolean;
  currency: string;
  timezone: string;
  program_ref: string;
}

/** The sources of requests of an account, of one programme or with one id where that is given; those of payrun.json first. */
export async function requestSources(
  { sql: db }: Pick<Db, 'sql'>,
  accountId: number,
  { id, programId }: { id?: string | undefined; programId?: string | undefined },
): Promise<SourceView[]> {
  const found = await sql<SourceView>`/* api.request_sources */
    select s.*, p.currency, p.timezone, p.ref as program_ref
    from (
      select id, ref as name, program_id, not retired as is_active, true as is_of_config
      from source where account_id = ${accountId} and kind = 'api'
      union all
      select id, name, program_id, true, false from request_source where account_id = ${accountId}
    ) s join program p on p.account_id = ${accountId} and p.id = s.program_id
    where (${id ?? null}::uuid is null or s.id = ${id ?? null}::uuid)
      and (${programId ?? null}::uuid is null or s.program_id = ${programId ?? null}::uuid)
    order by s.is_of_config desc, s.id`.execute(db);
  return found.rows;
}
