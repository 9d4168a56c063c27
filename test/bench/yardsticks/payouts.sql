-- The payouts that claim.sql puts commissions into. They are made beforehand and are no part of the yardstick.

with batch as (
  insert into payout_batch (account_id, id, program_id, period_start, period_end, currency, method, status, prepared_by,
    prepared_run_id, prepared_at)
  select account_id, uuidv7(), id, :'as_of', :'as_of', currency, 'paypal', 'approved', 'bench', :'run'::uuid, now()
  from program
  where account_id = :'account'::integer and id = :'program'::uuid
  returning id, program_id
)
insert into payout (account_id, id, batch_id, program_id, affiliate_id, reference, amount, currency, method, destination,
  payee_name, lines, status, status_at, status_run_id)
select :'account'::integer, uuidv7(), batch.id, batch.program_id, a.id, upper(left(md5(a.ref), 12)), due.amount,
  due.currency, 'paypal', a.payout_destination, a.name, due.lines, 'approved', now(), :'run'::uuid
from (
  select affiliate_id, currency, sum(amount)::bigint as amount, count(*)::integer as lines
  from commission
  where account_id = :'account'::integer and status = 'ready_for_payment'
  group by affiliate_id, currency
) due
join affiliate a on a.account_id = :'account'::integer and a.id = due.affiliate_id
cross join batch;

analyze payout, commission;
