import type { Place } from '../errors.ts';
import type { CsvRecord } from './files/record-reading.ts';
import { formulaWithoutResult } from './values/cells.ts';

/** One row that can't be recorded: the code to look up, the field and the offending text. */
export interface RowFault {
  code: string;
  field: string;
  found: string;
  /** Where it does not stand in the row's own line but in a further one of its order. */
  line?: number;
}

/** What a field may say that has few values, where every kind of file has the same; for events, their types. */
export const choices: Record<string, readonly string[]> = {
  interval: ['monthly', 'yearly'],
  is_subscription: ['true', 'false', 'yes', 'no', '1', '0'],
  sales_status: ['open', 'trialing', 'complete', 'failed'],
  payout_method: ['paypal', 'wise', 'sepa', 'ach', 'manual'],
  event_type: ['conversion', 'lead', 'trial', 'milestone'],
};

const statuses =
  'pending, active, paused, banned for an affiliate, of lead, trialing, customer, active, canceled, rejected for a referral';
/** What makes it doubtful which cell of a row is which: a wrong count of cells, a misplaced quote, a NUL. */
export function spoiledRow(record: CsvRecord, header: string[]): RowFault | undefined {
  const { cells, stray } = record;
  if (stray !== undefined) return { code: 'quote', field: header[stray] ?? '', found: `cell ${stray + 1}` };
  if (cells.length !== header.length)
    return {
      code: 'ragged',
      field: '',
      found: `${cells.length} ${cells.length === 1 ? 'cell' : 'cells'} where the header has ${header.length}`,
    };
  for (let at = 0; at < cells.length; at += 1) {
    if (cells[at]!.includes('\0')) return { code: 'nul', field: '', found: `cell ${at + 1}` };
  }
  return undefined;
}

function required(found: string, field: string): string {
  if (found === '') return `"${field}" is empty; every row needs it.`;
  if (found === formulaWithoutResult)
    return `"${field}" has a formula whose result is not stored; open the workbook in a spreadsheet program and save it.`;
  return `"${field}" has only "${found}", which counts as empty; every row needs it.`;
}

/** What is wrong with a row and what to do about it, by code; `found` is the offending text, shortened. */
const sentences: Record<string, (found: string, field: string) => string> = {
  required,
  ragged: (found) => `The row has ${found}; fill in or remove cells so that it fits the header.`,
  'too-long': (_, field) => `"${field}" has more than 255 characters; shorten it.`,
  nul: (found) =>
    `In ${found} of the row stands an invisible character (NUL) that can't be stored; type the cell anew.`,
  'id-destroyed': (found) =>
    `"${found}" is an id that a spreadsheet turned into a number; put the id from the source there.`,
  quote: (found) =>
    `A quote stands in ${found} of the row where it should not; check the row in the rejects file, where each cell is written as it was understood.`,
  'amount-format': (found) => `"${found}" is no amount; write digits and one decimal mark, such as 1234.50.`,
  'amount-mark': (found) =>
    `"${found}" has another decimal mark than its source says; correct the amount, or decimal in payrun.json.`,
  'amount-grouping': (found) =>
    `"${found}" has marks between its digits where no group of them ends; write the amount with its decimal mark alone.`,
  'amount-exponent': (found) =>
    `"${found}" is an amount that a spreadsheet shortened; write all of its digits.`,
  'amount-form': (found) =>
    `"${found}" may be negative or not; write it with a minus sign or without, or set negative in the source.`,
  'amount-currency': (found) => `"${found}" names two currencies; correct the amount or the currency.`,
  'amount-decimals': (found) => `"${found}" has more decimals than its currency; write the exact amount.`,
  'amount-too-large': (found) => `"${found}" is more than one row may have; check its decimal mark.`,
  'sum-row': (found) =>
    `"${found}" is the sum of all rows above, and the row has no partner or date of its own, so that it is no sale but their total; remove it, or fill in what it lacks.`,
  'integer-unsafe': (found, field) =>
    `"${field}" has an integer beyond 2^53${found && ` (${found})`}, which JSON does not carry to the last digit; correct it${found ? '' : ', or write it as text'}.`,
  'amount-negative': (found, field) =>
    field === 'amount'
      ? `"${found}" is negative; a sale is not. For a refund name its sale in a column refund_of, or give what was refunded in a column refunded_total beside the sale.`
      : `"${found}" is negative; a sale is not.`,
  'charge-negative': (found) => `"${found}" is negative; no amount of an event of Stripe’s is.`,
  'currency-unknown': (found) => `"${found}" is no ISO 4217 currency code such as USD.`,
  'currency-withdrawn': (found) =>
    `The sale is in a currency that was no money any more on its day (${found}); check the currency and the date.`,
  'rate-missing': (found) => `There is no rate for ${found} in rates.csv; add it and import the row again.`,
  'date-format': (found) =>
    `"${found}" is no date, or not written as the dates of this file are; correct it, or set date_format in the source.`,
  'date-zone': (found) =>
    `"${found}" names its zone by letters that may mean several; remove them, and set timezone in the source.`,
  'date-serial': (found) =>
    `"${found}" may be a spreadsheet's number for a date; if it is, set date_format to excel_serial in the source.`,
  'date-short-year': (found) =>
    `"${found}" has a year of two digits; set date_format in the source, such as DD/MM/YY.`,
  'date-future': (found) =>
    `"${found}" is more than a year in the future; correct the date, or how dates are read in the source.`,
  'date-iso': (found) =>
    `"${found}" is no date; write it as 2026-03-31, or with a time as 2026-03-31T14:30:00.`,
  'date-gap': (found) =>
    `"${found}" does not exist on the clock of ${/[A-Za-z]\/[A-Z]/.test(found) ? 'that' : "the source's"} time zone, because the clocks went forward; correct the time.`,
  choice: (found, field) =>
    `"${found}" is not a value that "${field}" can have; write one of ${choices[field]?.join(', ') ?? statuses}.`,
  'number-format': (found, field) =>
    `"${found}" is no ${field === 'expense' ? 'amount' : 'whole number'} of 0 or more for "${field}".`,
  'status-refund': (found) =>
    `"${found}" can't be imported as a sale's status; give what was refunded in a column refunded_total, or import a row for each refund with its sale in a column refund_of.`,
  'refund-exceeds': (found) =>
    `The refunds of the sale "${found}" would be more than the sale itself; correct the amount.`,
  'refund-zero': () => 'The refund is of nothing; give its amount.',
  'refund-currency': (found) => `The sale is in ${found}; give its refund in that currency.`,
  'refund-id-of-sale': (found) => `"${found}" is the id of a sale; give the refund an id of its own.`,
  'refund-of-refund': (found) =>
    `"${found}" is a refund itself; name the sale of which this takes a part back.`,
  'refund-differs': (found) =>
    `A refund "${found}" with other facts stands above this row, and waits for its sale; correct this row, or remove it.`,
  'sale-id-of-refund': (found) =>
    `"${found}" is the id of a refund; give the sale an id of its own, or its source an id_prefix.`,
  'percent-format': (found) => `"${found}" is no percentage from 0 to 100, such as 12.5.`,
  'email-format': () => 'This is no e-mail address; correct it, or leave the cell empty.',
  destination: (found) =>
    `The payout destination does not fit the payout method (${found}); correct one of them.`,
  'referral-double': (found) =>
    `The row names the same referral as ${found} of this file does; keep one row of it.`,
  'ref-double': (found) => `"${found}" stands in this file twice; keep one row of it.`,
  json: (found) => `The line is no JSON object: ${found}.`,
  'stripe-event': (found) =>
    `The line is no event of Stripe’s${found && `, but of the kind "${found}"`}; each line is one, with "object": "event".`,
  'event-type': (found) => `"${found}" is no event type; use conversion, lead, trial or milestone.`,
  'identifier-missing': (found) =>
    `Nothing names the referral: give one of ${found || 'referral_id, customer_id, external_user_id, click_id'}.`,
  type: (found, field) => `"${field}" must be ${found}.`,
  'affiliate-unknown': (found) =>
    `There is no affiliate "${found}"; import the affiliate first, or correct the name.`,
  'affiliate-ambiguous': (found) => `"${found}" fits several affiliates; use the affiliate's id or ref.`,
  'customer-ambiguous': () =>
    'The customer’s e-mail belongs to several affiliates; name the affiliate in the row.',
  'customer-unknown': () =>
    'The row names no affiliate, nor a customer whose affiliate is known; name the affiliate.',
  'referral-of-another': (found, field) =>
    `The referral with the ${field} ${found}, and no file moves a referral to another affiliate; name that affiliate in the row, or remove the row.`,
  'identifier-taken': (found) => `"${found}" belongs to another referral already; correct it, or remove it.`,
};

/** Every code that a row can be rejected with. */
export const faultCodes = Object.keys(sentences);

/** The sentence of a fault, for the rejects file and the report. */
export function faultMessage(code: string, field: string, found: string): string {
  const sentence = sentences[code];
  if (!sentence) throw new Error(`no sentence for the fault ${code}`);
  // A character cut in half could not be stored.
  const start = found.slice(0, 80).replace(/[\ud800-\udbff]$/, '');
  return sentence(found.length > 80 ? `${start}…` : found, field);
}

/** Where a fault of a whole file was found. */
export function placeOf(file: string, line?: number): Place {
  return line === undefined ? { file } : { file, line };
}
