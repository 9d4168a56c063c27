-- One statement per call, each ended by a semicolon at the end of a line.
-- Conversion entries: what a CRM tells of the sales to its contacts, whoever brought them.

-- A person behind conversion entries. Of two who have no e-mail address, the telephone number tells.
create table contact (
  account_id integer not null references account,
  id uuid not null,
  email text,
  email_folded text,
  phone text,
  phone_folded text,
  first_name text,
  last_name text,
  source text,
  custom_fields jsonb not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (account_id, id),
  unique (account_id, email_folded)
);

create unique index contact_phone_alone on contact (account_id, phone_folded) where email_folded is null;

create index contact_phone on contact (account_id, phone_folded) where phone_folded is not null;

-- A source that a client has made itself; it has no settings. Those of payrun.json stand in source.
create table request_source (
  account_id integer not null,
  id uuid not null,
  program_id uuid not null,
  name text not null,
  created_at timestamptz not null,
  primary key (account_id, id),
  unique (account_id, program_id, name),
  foreign key (account_id, program_id) references program
);

-- external_id is that of the sale. conversion_id is null while nobody is credited: the contact is not known as a
-- customer whom an affiliate brought, or there is nothing to earn. source_id is one of source or request_source.
create table conversion_entry (
  account_id integer not null,
  id uuid not null,
  program_id uuid not null,
  source_id uuid not null,
  contact_id uuid not null,
  external_id text not null,
  key_id uuid not null,
  idempotency_key text,
  amount bigint check (amount >= 0),
  currency text not null,
  expense bigint check (expense >= 0),
  occurred_at timestamptz not null,
  occurred_at_given boolean not null,
  customer_id text,
  customer_email text,
  import_id uuid not null,
  conversion_id uuid,
  created_at timestamptz not null,
  primary key (account_id, id),
  unique (account_id, external_id),
  unique (account_id, key_id, idempotency_key),
  foreign key (account_id, program_id) references program,
  foreign key (account_id, contact_id) references contact
);

create index conversion_entry_listed on conversion_entry (account_id, occurred_at, id);

create index conversion_entry_waiting on conversion_entry (account_id, import_id) where conversion_id is null and amount > 0;
