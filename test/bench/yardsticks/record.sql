-- Records the sales in `staged`, for the scripts that put them there (import.sql, import-wide.sql).

with sale as (
  insert into conversion (account_id, id, program_id, external_id, affiliate_id, amount, occurred_at, fingerprint,
    import_id, line, occurred_at_given, currency, sales_status, product_ids, note)
  select :'account'::integer, uuidv7(), :'program'::uuid, s.external_id, k.affiliate_id, s.minor_units, s.instant,
    substring(sha256(uuid_send(k.affiliate_id) || int8send(s.minor_units) || timestamptz_send(s.instant)
      || textsend(s.currency) || textsend(coalesce(s.products::text, ''))) for 16),
    :'import'::uuid, s.line, true, s.currency, s.sales_status, s.products, s.note
  from (
    select *, row_number() over () + 1 as line, (amount::numeric * 100)::bigint as minor_units,
      occurred_at::timestamptz as instant, string_to_array(product_ids, ';') as products
    from staged
  ) s
  join affiliate_key k on k.account_id = :'account'::integer and k.folded = lower(s.affiliate)
  on conflict (account_id, external_id) do nothing
  returning id, affiliate_id, amount, occurred_at, product_ids
),
earned as (
  insert into commission (account_id, id, program_id, affiliate_id, amount, hold_until, status_at, status_run_id,
    incentive_id, rate_ppm, hold_days, overridden, currency, status, rounding)
  select :'account'::integer, s.id, p.id, s.affiliate_id,
    (s.amount * coalesce(i.rate_ppm, p.rate_ppm) + 500000) / 1000000,
    (s.occurred_at at time zone p.timezone + coalesce(i.hold_days, p.hold_days) * interval '1 day')
      at time zone p.timezone,
    now(), :'run'::uuid, i.id, coalesce(i.rate_ppm, p.rate_ppm), coalesce(i.hold_days, p.hold_days), false, p.currency,
    'pending', p.rounding
  from sale s
  join program p on p.account_id = :'account'::integer and p.id = :'program'::uuid
  left join incentive i on i.account_id = p.account_id and i.program_id = p.id and i.product_ids && s.product_ids
  returning affiliate_id, currency, amount
)
insert into posting (account_id, id, run_id, affiliate_id, currency, movement, from_account, to_account, amount, lines,
  posted_at)
select :'account'::integer, uuidv7(), :'run'::uuid, affiliate_id, currency, 'record', 'earned', 'pending', sum(amount),
  count(*), now()
from earned
group by affiliate_id, currency;
