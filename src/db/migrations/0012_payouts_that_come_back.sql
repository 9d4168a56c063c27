-- One statement per call, each ended by a semicolon at the end of a line.
-- Approval by two persons where a job prepared, payouts that came back, and units that a rail can't carry.

-- Who said yes first, where the programme asks for two persons and whoever prepared the batch is none of them.
alter table payout_batch add column first_approved_by text;

alter table payout_batch add column first_approved_at timestamptz;

-- Whether prepared_by is a person, whose preparing is a yes; a job's is not.
alter table payout_batch add column prepared_by_person boolean not null default true;

update payout_batch b set prepared_by_person = false
where lower(trim(prepared_by)) = 'payrun' or exists (
  select from run r where r.account_id = b.account_id and r.id = b.prepared_run_id
    and (r.slot is not null or r.parent_id is not null));

-- `carry` takes what a rail can't pay out of a payout again; `return` is money that had arrived and came back.
alter table posting drop constraint posting_movement_check;

alter table posting add constraint posting_movement_check
  check (movement in ('record', 'release', 'await', 'approve', 'decline', 'restore', 'claim', 'unclaim', 'pay', 'carry', 'return'));

alter table left_out drop constraint left_out_reason_check;

alter table left_out add constraint left_out_reason_check
  check (reason in ('not_positive', 'under_minimum', 'no_destination', 'banned', 'paused', 'pending', 'under_one_unit', 'currency_not_carried'));
