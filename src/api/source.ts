import type { SourceConfig } from '../config.ts';
import type { LetIn } from '../db/api-keys.ts';
import type { ProgramRow } from '../db/tables.ts';
import type { Requester } from '../imports/requests.ts';
import { ApiFault } from './fault.ts';
import { type ApiContext, accountOf } from './server.ts';

/** How what a client sends is read, and for which programme it counts. */
export interface RequestSource {
  requester: Requester;
  program: Pick<ProgramRow, 'id' | 'currency' | 'timezone'>;
  settings: Partial<SourceConfig>;
}

/**
 * The source of a client's requests: that of its key, else the account's only one of kind `api`, else none, and the
 * account's first programme. Raises `failed` where payrun.json was not applied.
 */
export async function sourceOf(api: ApiContext, client: LetIn): Promise<RequestSource> {
  const { accountId } = client;
  const account = accountOf(api, client);
  const stored = await api.db.sql
    .selectFrom('source')
    .select(['id', 'ref'])
    .where('account_id', '=', accountId)
    .where('kind', '=', 'api')
    .where('retired', '=', false)
    .execute();
  const own = client.key.source_id;
  const row =
    own === null ? (stored.length === 1 ? stored[0] : undefined) : stored.find((one) => one.id === own);
  const settings: Partial<SourceConfig> = account.sources.find((one) => one.ref === row?.ref) ?? {};
  const program = await api.db.sql
    .selectFrom('program')
    .select(['id', 'currency', 'timezone'])
    .where('account_id', '=', accountId)
    .where('ref', '=', settings.program ?? account.programs[0]?.ref ?? '')
    .executeTakeFirst();
  if (!program) throw new ApiFault('failed', 'The request could not be answered.');
  return { requester: { accountId, sourceId: row?.id ?? null, name: row?.ref ?? 'api' }, program, settings };
}
