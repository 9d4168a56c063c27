-- One statement per call, each ended by a semicolon at the end of a line.

-- The import whose rejects file came back, corrected, as this one.
alter table import add column rejects_of uuid;

alter table import add foreign key (account_id, rejects_of) references import;

create index import_rejects_of on import (account_id, rejects_of) where rejects_of is not null;

create index import_finished on import (account_id, finished_at);

-- What a person was told of the import besides its counts: warnings, changes, and its rejected rows by fault.
alter table import add column report jsonb;

-- All that the row which came again said, so that a person can compare it with what was recorded and take it over.
-- Conflicts from before this migration have the fields that differ only.
alter table conflict add column found_at timestamptz;

alter table conflict add column affiliate_id uuid;

alter table conflict add column amount bigint;

alter table conflict add column currency text;

alter table conflict add column occurred_at timestamptz;

alter table conflict add column occurred_at_given boolean;

alter table conflict add column product_ids text[];

alter table conflict add column price_ids text[];

alter table conflict add column interval text;

alter table conflict add column is_subscription boolean;

alter table conflict add column fx_rate numeric;

alter table conflict add column fx_day date;

alter table conflict add column fx_source text;

-- Who decided it, and why.
alter table conflict add column decided_at timestamptz;

alter table conflict add column decided_by text;

alter table conflict add column decided_run_id uuid;

alter table conflict add column reason text;

create index conflict_open on conflict (account_id, id) where status = 'open';

create index conflict_import on conflict (account_id, import_id, line);
