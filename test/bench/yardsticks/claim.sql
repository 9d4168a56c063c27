-- The bare UPDATE that puts what is ready into payouts that stand already:
--   psql -v account=1 -v as_of=… -f claim.sql

update commission
set payout_id = p.id
from payout p
where commission.account_id = :'account'::integer and commission.status = 'ready_for_payment'
  and commission.payout_id is null and commission.hold_until < :'as_of'::timestamptz
  and p.account_id = :'account'::integer and p.affiliate_id = commission.affiliate_id
  and p.currency = commission.currency;
