-- One statement per call, each ended by a semicolon at the end of a line.
-- Refunds, disputes and adjustments. What they take from or give to a commission is a commission of its own: a reversal
-- has the id of its refund and points at the commission it takes back, an adjustment has the id of its reason.

alter table commission add column reverses uuid;

-- Empty until something is refunded, so that it costs the import of sales nothing.
create index commission_reversal on commission (account_id, reverses) where reverses is not null;

-- What was refunded of a sale. `amount` is what this refund adds to those before it; `stated_amount` is what the row
-- said, which is the whole refunded so far where is_total. A refund that a lost dispute stands for names the dispute.
create table refund (
  account_id integer not null,
  id uuid not null,
  conversion_id uuid not null,
  external_id text not null,
  amount bigint not null check (amount > 0),
  stated_amount bigint not null check (stated_amount > 0),
  is_total boolean not null,
  currency text not null,
  occurred_at timestamptz not null,
  occurred_at_given boolean not null,
  dispute_id uuid,
  import_id uuid not null,
  line integer not null,
  primary key (account_id, id),
  unique (account_id, external_id)
);

create index refund_of_sale on refund (account_id, conversion_id);

-- Refunds whose sale is not known yet, or which could not be recorded when it came (code says why); tried again after
-- every import.
create table parked_refund (
  account_id integer not null,
  id uuid not null,
  external_id text not null,
  sale_external_id text not null,
  amount bigint not null,
  is_total boolean not null,
  currency text not null,
  occurred_at timestamptz not null,
  occurred_at_given boolean not null,
  import_id uuid not null,
  line integer not null,
  code text,
  primary key (account_id, id),
  unique (account_id, external_id)
);

-- A customer's objection to a charge. While it is open the commission of the sale is neither released nor paid.
create table dispute (
  account_id integer not null,
  id uuid not null,
  conversion_id uuid not null,
  external_id text not null,
  amount bigint not null check (amount > 0),
  currency text not null,
  status text not null check (status in ('open', 'won', 'lost')),
  opened_at timestamptz,
  closed_at timestamptz,
  import_id uuid not null,
  line integer not null,
  primary key (account_id, id),
  unique (account_id, external_id)
);

create index dispute_of_sale on dispute (account_id, conversion_id);

create index dispute_open on dispute (account_id, conversion_id) where status = 'open';

create table parked_dispute (
  account_id integer not null,
  id uuid not null,
  external_id text not null,
  state text not null check (state in ('opened', 'won', 'lost')),
  sale_external_id text not null,
  amount bigint not null,
  currency text not null,
  occurred_at timestamptz not null,
  import_id uuid not null,
  line integer not null,
  code text,
  primary key (account_id, id),
  unique (account_id, external_id, state)
);

-- An amount that a person gave or took, with the reason and the name; its commission has the same id.
create table adjustment (
  account_id integer not null,
  id uuid not null,
  program_id uuid not null,
  affiliate_id uuid not null,
  amount bigint not null check (amount <> 0),
  currency text not null,
  reason text not null,
  made_by text not null,
  made_at timestamptz not null,
  primary key (account_id, id),
  foreign key (account_id, program_id) references program,
  foreign key (account_id, affiliate_id) references affiliate
);

-- A conflict may be about a refund or a dispute that came again with other facts; conversion_id is then its sale.
alter table conflict add column about text not null default 'sale' check (about in ('sale', 'refund', 'dispute'));
