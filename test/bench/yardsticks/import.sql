-- Records a sales CSV, or the same one again:
--   psql -v account=1 -v program=… -v run=… -v import=… -f import.sql < sales.csv

drop table if exists staged;

create unlogged table staged (
  external_id text, affiliate text, amount text, currency text, occurred_at text, product_ids text,
  sales_status text, note text
);

\copy staged from pstdin with (format csv, header true)

analyze staged;

\ir record.sql

drop table staged;
