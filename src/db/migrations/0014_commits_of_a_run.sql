-- One statement per call, each ended by a semicolon at the end of a line.
-- How many transactions of a run are committed, so that a runner to which the answer to a commit was lost can ask.

alter table run add column commits integer not null default 0;
