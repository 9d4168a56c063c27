import type { Kind } from '../imports/import.ts';

/** The kinds of files, and what is said of importing them. */
export const kinds: [kind: Kind, description: string][] = [
  [
    'sales',
    'Import sales from CSV files or .xlsx workbooks, in the canonical layout or in that of a source.',
  ],
  [
    'events',
    'Import event logs, one JSON object a line: conversions, leads, trials and milestones, or Stripe’s events.',
  ],
  ['affiliates', 'Import affiliates from CSV files or .xlsx workbooks; those that changed are updated.'],
  ['referrals', 'Import referrals from CSV files or .xlsx workbooks; those that changed are updated.'],
];

export const examples = `
Examples:
  payrun import sales march.csv --dry-run          see what would happen
  payrun import sales march.csv --plan 7KQ2M9-1FX8D0-ZP3T5W   do just that, if nothing has changed since
  payrun import sales march.csv --source offline   read it as the source "offline" of payrun.json says
  payrun import sales march.csv --save-mapping erp  keep the proposed mapping as the source "erp", and import
  payrun import sales march.csv --save-mapping erp --map amount="Net total" --ignore "State"   decide what it asks
  gunzip -c march.csv.gz | payrun import sales -   from standard input; .gz and .zip files can be named as they are

A file lands whole or not at all. Rows that can't be recorded go to rejects/, to be corrected and imported again.`;

/** The columns of files of people. */
export const columnsOf = {
  affiliates: `
Columns: ref and name; where you have them email, short_code, status (pending, active, paused, banned),
commission_override (percent), payout_method (paypal, wise, sepa, ach, manual) and payout_destination.
Where the file calls them otherwise: --map ref="Partner No." --map email="E-Mail".`,
  referrals: `
Columns: affiliate, and at least one of ref, customer_id, external_user_id, click_id and email; where you have
them status (lead, trialing, customer, active, canceled, rejected) and created_at.
Where the file calls them otherwise: --map affiliate="Partner" --map email="E-Mail".`,
};
