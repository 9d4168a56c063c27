-- One statement per call, each ended by a semicolon at the end of a line.
-- Stripe's event logs: a source of their own kind, and customers who leave.

alter table source drop constraint source_kind_check;

alter table source add constraint source_kind_check check (kind in ('sales_csv', 'affonso_events', 'stripe_events'));

alter table event drop constraint event_event_type_check;

alter table event add constraint event_event_type_check
  check (event_type in ('lead', 'trial', 'milestone', 'cancellation'));
