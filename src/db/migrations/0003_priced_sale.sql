-- One statement per call, each ended by a semicolon at the end of a line.
-- Sales on their way through a large import, priced by one connection while another writes those before. Nothing here
-- is anyone's record: it is not logged, a server that crashes empties it, and so does whoever finds it unused.

create unlogged table priced_sale (
  account_id integer not null,
  import_id uuid not null,
  batch integer not null,
  id uuid not null,
  line integer not null,
  external_id text not null,
  amount bigint not null,
  currency text not null,
  occurred_at timestamptz not null,
  occurred_at_given boolean not null,
  sales_status text not null,
  customer_id text,
  email text,
  product_ids text[],
  price_ids text[],
  interval text,
  is_subscription boolean,
  expense bigint,
  note text,
  metadata jsonb,
  fx_rate numeric,
  fx_day date,
  fx_source text,
  affiliate_id uuid not null,
  referral_id uuid,
  fingerprint bytea not null,
  incentive_id uuid,
  ppm integer,
  overridden boolean not null,
  no_commission_reason text,
  days integer not null,
  earned bigint,
  hold_until timestamptz not null
);
