-- One statement per call, each ended by a semicolon at the end of a line.
-- What a run has moved is found by the run, so that what it proves before it commits is in proportion to that and not to
-- all there is. Ids and runs come in order, so that these indexes grow at their end; they hold no more than is under way,
-- and what was declined.

drop index commission_awaiting;

create index commission_awaiting on commission (account_id, status_run_id, id) where status = 'pending_manual_approval';

drop index commission_ready;

create index commission_ready on commission (account_id, status_run_id, id)
  where status = 'ready_for_payment' and payout_id is null;

create index commission_declined on commission (account_id, status_run_id, id) where status = 'declined';

create index payout_of_run on payout (account_id, status_run_id);
