-- One statement per call, each ended by a semicolon at the end of a line.
-- The earlier sales of a customer are looked for only where an incentive ends with a duration. The index for it takes a
-- fifth of the time in which customers' sales are recorded, so it stands where there is such an incentive: the first to
-- be applied brings it.
do $$ begin if not exists (select from incentive where not retired and (duration_months is not null or duration_payments is not null)) then drop index conversion_referral; end if; end $$;

-- A file of sales may make customers of all referrals of a page at once, and a page has room for the new versions of all
-- only when it is filled to a half; those that find no room cost an entry in each of the six indexes.
alter table referral set (fillfactor = 50);
