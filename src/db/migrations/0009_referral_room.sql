-- A referral is written once and then moved up a few times: a lead, a customer, an active one. No index looks at what
-- moves, so with room left on its page the new version stays there, and none of its six indexes has to be told. Existing
-- pages get the room when the table is rewritten; nothing depends on it.
alter table referral set (fillfactor = 70);
