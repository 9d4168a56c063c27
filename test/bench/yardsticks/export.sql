-- The rows of the payout report with details, as the database has them:
--   psql -v account=1 -f export.sql > report.csv

copy (
  select p.id as payout, p.reference, a.ref as affiliate, p.payee_name as name, p.method, p.status, m.id as commission,
    c.external_id, c.occurred_at, c.amount as sale_amount, c.currency as sale_currency, m.amount, m.currency,
    m.rate_ppm, i.ref as incentive
  from payout p
  join affiliate a on a.account_id = p.account_id and a.id = p.affiliate_id
  join commission m on m.account_id = p.account_id and m.payout_id = p.id
  join conversion c on c.account_id = p.account_id and c.id = m.id
  left join incentive i on i.account_id = p.account_id and i.id = m.incentive_id
  where p.account_id = :'account'::integer
  order by p.reference collate "C", m.id
) to stdout with (format csv, header true);
