-- Records the orders of a shop, a CSV of 79 columns:
--   psql -v account=1 -v program=… -v run=… -v import=… -f import-wide.sql < orders.csv

drop view if exists staged;

drop table if exists orders;

create unlogged table orders (
  "Name" text, "Email" text, "Financial Status" text, "Paid at" text, "Fulfillment Status" text, "Fulfilled at" text,
  "Accepts Marketing" text, "Currency" text, "Subtotal" text, "Shipping" text, "Taxes" text, "Total" text,
  "Discount Code" text, "Discount Amount" text, "Shipping Method" text, "Created at" text, "Lineitem quantity" text,
  "Lineitem name" text, "Lineitem price" text, "Lineitem compare at price" text, "Lineitem sku" text,
  "Lineitem requires shipping" text, "Lineitem taxable" text, "Lineitem fulfillment status" text,
  "Billing Name" text, "Billing Street" text, "Billing Address1" text, "Billing Address2" text,
  "Billing Company" text, "Billing City" text, "Billing Zip" text, "Billing Province" text, "Billing Country" text,
  "Billing Phone" text, "Shipping Name" text, "Shipping Street" text, "Shipping Address1" text,
  "Shipping Address2" text, "Shipping Company" text, "Shipping City" text, "Shipping Zip" text,
  "Shipping Province" text, "Shipping Country" text, "Shipping Phone" text, "Notes" text, "Note Attributes" text,
  "Cancelled at" text, "Payment Method" text, "Payment Reference" text, "Refunded Amount" text, "Vendor" text,
  "Outstanding Balance" text, "Employee" text, "Location" text, "Device ID" text, "Id" text, "Tags" text,
  "Risk Level" text, "Source" text, "Lineitem discount" text, "Tax 1 Name" text, "Tax 1 Value" text,
  "Tax 2 Name" text, "Tax 2 Value" text, "Tax 3 Name" text, "Tax 3 Value" text, "Tax 4 Name" text,
  "Tax 4 Value" text, "Tax 5 Name" text, "Tax 5 Value" text, "Phone" text, "Receipt Number" text, "Duties" text,
  "Billing Province Name" text, "Shipping Province Name" text, "Payment ID" text, "Payment Terms Name" text,
  "Next Payment Due At" text, "Payment References" text
);

\copy orders from pstdin with (format csv, header true)

analyze orders;

create view staged as
select "Id" as external_id, "Discount Code" as affiliate, "Subtotal" as amount, "Currency" as currency,
  "Created at" as occurred_at, "Lineitem sku" as product_ids, 'complete' as sales_status, "Name" as note
from orders;

\ir record.sql

drop view staged;

drop table orders;
