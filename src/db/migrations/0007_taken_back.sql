-- One statement per call, each ended by a semicolon at the end of a line.
-- Imports that are undone, and versions of a sale that are accepted in place of what was recorded.

alter table import add column undone_at timestamptz;

alter table import add column undone_by text;

alter table import add column undone_reason text;

alter table import add column undone_run_id uuid;

-- Why a sale or a refund counts no more; null while it counts. Its external id has then a tail of its own, so that the
-- same id can come again as new.
alter table conversion add column taken_back text;

alter table refund add column taken_back text;

alter table dispute drop constraint dispute_status_check;

alter table dispute add constraint dispute_status_check check (status in ('open', 'won', 'lost', 'withdrawn'));

-- What a sale earns is the amount of its commission and what its corrections, the first at place 1, add to that; `earned` is signed, in minor
-- units of the commission's currency. The line that a correction books has its id, and points at the commission. An
-- accepted version brings the terms by which the sale earns since.
create table correction (
  account_id integer not null,
  id uuid not null,
  conversion_id uuid not null,
  place integer not null,
  earned bigint not null,
  conflict_id uuid,
  import_id uuid,
  incentive_id uuid,
  rate_ppm integer,
  fixed_amount bigint,
  overridden boolean,
  primary key (account_id, id),
  check ((conflict_id is null) <> (import_id is null))
);

create unique index correction_of_sale on correction (account_id, conversion_id, place);

-- A conflict whose row or whose sale was taken back is withdrawn: nobody has decided it, and it may come again.
alter table conflict drop constraint conflict_status_check;

alter table conflict add constraint conflict_status_check check (status in ('open', 'kept', 'accepted', 'withdrawn'));

alter table conflict drop constraint conflict_account_id_conversion_id_fingerprint_sales_status_key;

create unique index conflict_once on conflict (account_id, conversion_id, fingerprint, sales_status)
  where status <> 'withdrawn';

-- A declined commission that earns again, because what had declined it was taken back, is pending anew.
alter table posting drop constraint posting_movement_check;

alter table posting add constraint posting_movement_check
  check (movement in ('record', 'release', 'await', 'approve', 'decline', 'restore', 'claim', 'unclaim', 'pay'));
