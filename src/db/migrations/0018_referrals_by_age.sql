-- One statement per call, each ended by a semicolon at the end of a line.
-- Lists of referrals by when they were created, page by page: the thousandth costs what the first one does.

create index referral_created on referral (account_id, created_at, id);
