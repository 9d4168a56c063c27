-- One statement per call, each ended by a semicolon at the end of a line.
-- Money that comes back. A refund that takes less than it gives back has a negative amount, and one that changes nothing
-- has none: a refund that failed, a total that fell, a lost dispute that was won later.

alter table refund drop constraint refund_amount_check;

alter table refund drop constraint refund_stated_amount_check;

alter table refund add constraint refund_stated_amount_check check (stated_amount >= 0);

-- What the row adds to what refunds, or lost disputes, have taken of the sale by their own account. Both together may be
-- more than the sale; `amount` is what the row adds to what was taken, which is never more.
alter table refund add column counted bigint;

update refund set counted = case when dispute_id is null then amount else stated_amount end;

alter table refund alter column counted set not null;

-- The order in which those of a sale were booked: what one of them adds depends on those before it.
alter table refund add column place integer;

update refund r set place = ordered.place
from (select account_id, id, row_number() over (partition by account_id, conversion_id order by id) as place from refund) ordered
where ordered.account_id = r.account_id and ordered.id = r.id;

alter table refund alter column place set not null;

-- What had been taken for it comes back: of a refund, which was made at made_at where that is known, or of a dispute.
alter table refund add column gives_back boolean not null default false;

alter table refund add column made_at timestamptz;

-- A person has accepted it, although nothing proves that it is later than what was recorded.
alter table refund add column accepted boolean not null default false;

alter table parked_refund add column gives_back boolean not null default false;

alter table parked_refund add column made_at timestamptz;

alter table parked_refund add column accepted boolean not null default false;

-- The lines of the file that said the same once more, behind `line`.
alter table conflict add column further_lines integer[] not null default '{}';

-- A trial makes no customer.
alter table priced_customer alter column first_at drop not null;
