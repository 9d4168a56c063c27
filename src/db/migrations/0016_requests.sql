-- One statement per call, each ended by a semicolon at the end of a line.
-- The API: its keys, how many requests each has made, and sales that come by request.

-- `hash` is the SHA-256 of the key, which nobody can read back; a signing secret has to be, and is sealed by the key of
-- the workspace. The text of a key names its account, so that it is looked up by (account_id, hash).
create table api_key (
  account_id integer not null references account,
  id uuid not null,
  name text not null,
  kind text not null check (kind in ('affonso', 'affilut', 'entries', 'payrun')),
  scopes text[] not null,
  source_id uuid,
  hash bytea not null,
  signing_secret bytea,
  created_at timestamptz not null,
  last_used_at timestamptz,
  revoked_at timestamptz,
  primary key (account_id, id),
  unique (account_id, hash),
  foreign key (account_id, source_id) references source
);

-- Requests of a key in one minute, by what they count as; a server that crashes forgets them, and that is all right.
create unlogged table request_count (
  account_id integer not null,
  key_id uuid not null,
  class text not null,
  minute timestamptz not null,
  used integer not null,
  primary key (account_id, key_id, class)
);

alter table source drop constraint source_kind_check;

alter table source add constraint source_kind_check
  check (kind in ('sales_csv', 'affonso_events', 'stripe_events', 'api'));

alter table import drop constraint import_kind_check;

alter table import add constraint import_kind_check
  check (kind in ('affiliates', 'referrals', 'sales', 'events', 'api'));
