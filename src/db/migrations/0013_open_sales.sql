-- One statement per call, each ended by a semicolon at the end of a line.
-- What a night is asked about: sales that hold their commission up, without those refunded or failed in years before,
-- and files that left rejects.

create index conversion_open on conversion (account_id, id) where sales_status in ('open', 'trialing');

create index import_rejected on import (account_id, id) where rejects_file is not null;
