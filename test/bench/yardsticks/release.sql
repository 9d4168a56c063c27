-- The bare UPDATE of the holds that have ended, without journal or audit:
--   psql -v account=1 -v run=… -v as_of=… -f release.sql

update commission
set status = 'ready_for_payment', status_at = now(), status_run_id = :'run'::uuid
where account_id = :'account'::integer and status = 'pending' and hold_until <= :'as_of'::timestamptz;
