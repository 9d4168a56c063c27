-- One statement per call, each ended by a semicolon at the end of a line.
-- What the customers of an import's priced sales bought, a customer each, so that the connection that writes the sales
-- need not read them all again to move their customers up. Like priced_sale it is nobody's record, and emptied with it.

create unlogged table priced_customer (
  account_id integer not null,
  import_id uuid not null,
  referral_id uuid not null,
  first_at timestamptz not null,
  status text not null
);
