-- One statement per call, each ended by a semicolon at the end of a line.
-- What is still to be moved is indexed by id and not by the end of its hold: ids come in order, so that the index grows
-- at its end, which costs a third of growing everywhere. It holds no more than is under way.

drop index commission_pending;

create index commission_pending on commission (account_id, id) where status = 'pending';

drop index commission_awaiting;

create index commission_awaiting on commission (account_id, id) where status = 'pending_manual_approval';

drop index commission_ready;

create index commission_ready on commission (account_id, id)
  where status = 'ready_for_payment' and payout_id is null;

-- The sales whose commissions are not to be released (yet).
create index conversion_held on conversion (account_id, id)
  where sales_status in ('open', 'trialing', 'failed', 'refunded');

-- A fingerprint is half of the SHA-256 of the facts; it was their MD5, which the server takes three times as long for.
alter table conversion alter column fingerprint type bytea
  using substring(sha256(uuid_send(affiliate_id) || int8send(amount)
    || timestamptz_send(case when occurred_at_given then occurred_at else 'infinity' end)
    || textsend(currency) || textsend(coalesce(product_ids::text, ''))) for 16);

-- The facts that came with a conflict are not kept as such, so its fingerprint stays what it was.
alter table conflict alter column fingerprint type bytea using uuid_send(fingerprint);
