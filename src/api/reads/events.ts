import type { Db } from '../../db/connect.ts';
import type { EventRow } from '../../db/tables.ts';

export type EventView = Pick<
  EventRow,
  'id' | 'external_event_id' | 'event_type' | 'event_name' | 'referral_id' | 'referral_status' | 'action'
>;

/** What became of an event that moves no money, when it was recorded. */
export async function readEventResult(
  { sql: db }: Pick<Db, 'sql'>,
  accountId: number,
  id: string,
): Promise<EventView> {
  return db
    .selectFrom('event')
    .select([
      'id',
      'external_event_id',
      'event_type',
      'event_name',
      'referral_id',
      'referral_status',
      'action',
    ])
    .where('account_id', '=', accountId)
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
}
