import { z } from 'zod';
import { always, ref, zone } from './config-words.ts';
import { limitsSchema } from './limits.ts';
import { isCurrency } from './money.ts';
import { presetNames } from './preset-names.ts';
import { isDateFormat } from './time.ts';

/** The columns of a sale, however it comes; a mapping or a default may give any of them. */
export const saleFields = [
  'external_id',
  'affiliate',
  'amount',
  'currency',
  'occurred_at',
  'customer_id',
  'customer_email',
  'product_ids',
  'price_ids',
  'interval',
  'is_subscription',
  'sales_status',
  'hold_days',
  'expense',
  'note',
  'refund_of',
  'refunded_total',
] as const;

export type SaleField = (typeof saleFields)[number];

const fields = z.partialRecord(z.enum(saleFields), z.string().min(1, 'must not be empty, or be left out'));

/** As in the cells of a file, a currency may be in small letters. */
const defaults = fields.superRefine(({ currency }, context) => {
  if (typeof currency !== 'string' || currency === '' || isCurrency(currency.toUpperCase())) return;
  const message = 'is no ISO 4217 currency code such as "USD"';
  context.addIssue({ code: 'custom', path: ['currency'], message });
}, always);

/** The encodings that a text file may be in. */
export const encodings = ['utf-8', 'utf-16le', 'utf-16be', 'windows-1252', 'macroman'] as const;

export type Encoding = (typeof encodings)[number];

/** A file or a kind of files that sales or events come from, and how they are read. */
export const source = z
  .strictObject({
    ref,
    kind: z.enum(['sales_csv', 'affonso_events', 'stripe_events', 'api']),
    program: ref,
    /** A known export, on top of which the other settings are laid. */
    preset: z.enum(presetNames).optional(),
    /** What becomes of a sale without affiliate whose customer is not known; `reject`, or `ignore` with a preset. */
    unattributed: z.enum(['reject', 'ignore']).optional(),
    /** Where a date without an offset was written; the programme's own zone unless said. */
    timezone: zone.optional(),
    /** Canonical field to the header of the file, or its position as "#3". */
    mapping: fields.optional(),
    defaults: defaults.optional(),
    /** Columns that are left out on purpose though they look as if they decided what a row means. */
    ignore: z.array(z.string().min(1, 'must be the name of a column, or its position as "#3"')).optional(),
    /** Where the file has no byte order mark; else what its bytes are most likely. */
    encoding: z.enum(encodings).optional(),
    delimiter: z.enum([',', ';', '\t', '|'], 'must be one of "," ";" "\\t" "|"').optional(),
    /** Of a workbook: the name or number (from 1) of the sheet to read. */
    sheet: z
      .union([z.string().min(1), z.int().min(1)], 'must be the name of a sheet, or its number')
      .optional(),
    limits: limitsSchema.optional(),
    /** What a quote does that stands where it should not: spoils its row, or is text. */
    quotes: z.enum(['strict', 'relaxed']).optional(),
    /** Leave out spaces around cells, those before a quote too. */
    trim: z.boolean().optional(),
    /** The line of the header; else the first of the first 50 records that has the columns. */
    header_row: z.int('must be the number of a line').min(1, 'must be the number of a line').optional(),
    /** The mark before the decimals; else what the amounts of each column prove. */
    decimal: z.enum(['.', ','], 'must be "." or ","').optional(),
    /** What else than a minus sign makes an amount negative: parentheses, or CR or DR behind it (and parentheses). */
    negative: z.enum(['parentheses', 'CR', 'DR']).optional(),
    /** `iso`, `excel_serial` or a pattern of YYYY YY MM DD HH hh mm ss A; else what the dates of the column prove. */
    date_format: z
      .string()
      .refine(isDateFormat, 'must be "iso", "excel_serial" or a whole date such as "DD.MM.YYYY"')
      .optional(),
    /** Put before every external id, where two upstreams number independently. */
    id_prefix: z.string().max(64).default(''),
    allow_empty: z.boolean().default(false),
    allow_partial: z.boolean().optional(),
    /** Of a Stripe event log: take the events of test mode as well, which are else ignored. */
    test_events: z.boolean().optional(),
    /** Of requests: how many a key has in a minute, where the interface does not say otherwise. */
    requests_per_minute: z.int('must be a whole number').min(1, 'must be at least 1').optional(),
    /** Of conversion entries: the key of the incoming data to the field of the entry or its contact, or to one's own. */
    field_mappings: z.record(z.string().min(1), z.string().min(1)).optional(),
  })
  .superRefine(refuseUseless, always);

/** What only a table has. */
const ofTables = [
  'preset',
  'unattributed',
  'mapping',
  'defaults',
  'ignore',
  'delimiter',
  'sheet',
  'quotes',
  'trim',
  'header_row',
  'decimal',
  'negative',
  'date_format',
  'allow_empty',
] as const;

/** What any file has, but no request. */
const ofFiles = ['encoding', 'limits', 'allow_partial'] as const;

const ofRequests = ['requests_per_minute', 'field_mappings'] as const;

/** A setting that would change nothing was meant to change something. */
function refuseUseless(value: Record<string, unknown>, context: z.core.$RefinementCtx): void {
  const refuse = (key: string, message: string) => context.addIssue({ code: 'custom', path: [key], message });
  if (value.kind === 'affonso_events' || value.kind === 'stripe_events') {
    for (const key of ofTables)
      if (value[key] !== undefined && value[key] !== false)
        refuse(key, 'is for tables of sales, and this source is an event log');
  }
  if (value.kind === 'api') {
    for (const key of [...ofTables, ...ofFiles])
      if (key !== 'defaults' && value[key] !== undefined && value[key] !== false)
        refuse(key, 'is for files, and what this source brings comes by request');
  } else {
    for (const key of ofRequests)
      if (value[key] !== undefined) refuse(key, 'is for sources of kind "api" only');
  }
  if (value.kind !== 'stripe_events' && value.test_events !== undefined)
    refuse('test_events', 'is for event logs of Stripe (stripe_events) only');
}
