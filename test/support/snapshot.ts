import { sql } from 'kysely';
import type { Db } from '../../src/db/connect.ts';
import { readMany } from './read-many.ts';

/**
 * Everything that an account's database says, without what differs from run to run by its nature (ids, the moments
 * at which things were done, payout references): two ways to the same end have equal snapshots.
 */
export async function snapshot(db: Db): Promise<Record<string, unknown[]>> {
  const rows = (query: ReturnType<typeof sql<unknown>>) => readMany(db, query);
  return {
    conversions: await rows(sql`
      select c.external_id, p.ref as program, a.ref as affiliate, r.customer_id as referral, c.amount, c.currency, c.occurred_at,
        c.fingerprint is not null as has_fingerprint, c.line, c.sales_status, c.product_ids, c.note, c.no_commission_reason, i.file
      from conversion c
      join program p on p.account_id = c.account_id and p.id = c.program_id
      join affiliate a on a.account_id = c.account_id and a.id = c.affiliate_id
      join import i on i.account_id = c.account_id and i.id = c.import_id
      left join referral r on r.account_id = c.account_id and r.id = c.referral_id
      order by c.external_id collate "C"`),
    commissions: await rows(sql`
      select c.external_id, m.amount, m.currency, m.status, m.hold_until, m.hold_days, m.rate_ppm, n.ref as incentive, m.reason,
        po.status as payout, run.job as moved_by
      from commission m
      join conversion c on c.account_id = m.account_id and c.id = m.id
      left join incentive n on n.account_id = m.account_id and n.id = m.incentive_id
      left join payout po on po.account_id = m.account_id and po.id = m.payout_id
      left join run on run.account_id = m.account_id and run.id = m.status_run_id
      order by c.external_id collate "C"`),
    referrals: await rows(sql`
      select r.customer_id, r.external_user_id, r.click_id, r.email, r.status, a.ref as affiliate, r.converted_at
      from referral r join affiliate a on a.account_id = r.account_id and a.id = r.affiliate_id
      order by r.customer_id collate "C", r.external_user_id, r.click_id, r.email`),
    events: await rows(sql`
      select external_event_id, event_type, referral_status, action, line from event order by external_event_id collate "C"`),
    parked: await rows(
      sql`select external_event_id, line from parked_event order by external_event_id collate "C"`,
    ),
    conflicts: await rows(
      sql`select external_id, line, difference, status from conflict order by external_id collate "C"`,
    ),
    journal: await rows(sql`
      select a.ref as affiliate, s.currency, s.movement, s.from_account, s.to_account, sum(s.amount)::bigint as amount, sum(s.lines)::bigint as lines
      from posting s join affiliate a on a.account_id = s.account_id and a.id = s.affiliate_id
      group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5`),
    payouts: await rows(sql`
      select a.ref as affiliate, po.amount, po.currency, po.method, po.destination, po.status, po.lines, b.status as batch, b.period_end
      from payout po
      join affiliate a on a.account_id = po.account_id and a.id = po.affiliate_id
      join payout_batch b on b.account_id = po.account_id and b.id = po.batch_id
      order by a.ref collate "C", po.currency, po.amount`),
    leftOut: await rows(sql`
      select distinct a.ref as affiliate, l.currency, l.amount, l.reason from left_out l
      join affiliate a on a.account_id = l.account_id and a.id = l.affiliate_id
      order by 1, 2, 3`),
    imports: await rows(sql`
      select file, kind, sha256, rows, counts, totals, rejects_file is not null as has_rejects from import order by file collate "C", kind`),
  };
}
