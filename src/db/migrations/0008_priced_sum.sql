-- One statement per call, each ended by a semicolon at the end of a line.
-- What the sales of a priced batch come to, an affiliate and currency each, so that the connection that writes them need
-- not add them up. Like priced_sale it is nobody's record, and emptied with it.

create unlogged table priced_sum (
  account_id integer not null,
  import_id uuid not null,
  batch integer not null,
  kind text not null,
  affiliate_id uuid,
  currency text not null,
  amount numeric not null,
  lines bigint not null
);
