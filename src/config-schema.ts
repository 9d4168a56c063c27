import cron from 'node-cron';
import { z } from 'zod';
import { listOf, reportDoubles } from './config-doubles.ts';
import { limitsSchema } from './limits.ts';
import { isCurrency, parseAmount, parsePercent } from './money.ts';
import { presetNames } from './preset-names.ts';
import { isDateFormat, isZone } from './time.ts';

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

const ref = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    'must be 1 to 64 letters, digits, ".", "_" or "-", and start with a letter or digit',
  );
const name = z.string().min(1, 'must not be empty').max(200);
const days = z
  .int('must be a whole number of days')
  .min(0, 'must be 0 days or more')
  .max(3650, 'must be at most 3650 days');
const zone = z.string().refine(isZone, 'is no IANA time zone such as "Europe/Berlin"');
const currency = z.string().refine(isCurrency, 'is no ISO 4217 currency code such as "USD"');
const list = z.array(z.string().min(1)).min(1, 'must name at least one, or be left out');

/** Percent text to parts per million, so that nothing behind this line sees a fraction. */
const percent = z.string('must be text such as "20" or "12.5"').transform((text, context) => {
  const ppm = parsePercent(text);
  if (ppm === undefined)
    context.addIssue('must be a percentage from 0 to 100 with at most four decimals, such as "20" or "12.5"');
  return ppm ?? 0;
});
const amount = z
  .string('must be text such as "50.00"')
  .regex(/^\d+(\.\d+)?$/, 'must be an amount such as "50.00"');

/**
 * A check that looks at several fields together runs beside the faults of single fields too, so that all are told
 * at once; it may meet fields that have none of the shape they should.
 */
const always = { when: ({ value }: { value: unknown }) => typeof value === 'object' && value !== null };

const rule = { percent: percent.optional(), fixed: amount.optional() };
const exactlyOne = (value: { percent?: unknown; fixed?: unknown }) =>
  (value.percent === undefined) !== (value.fixed === undefined);

const duration = z
  .strictObject({ months: z.int().min(1).optional(), payments: z.int().min(1).optional() })
  .refine((value) => (value.months === undefined) !== (value.payments === undefined), {
    error: 'needs either "months" or "payments"',
    ...always,
  });

const incentive = z
  .strictObject({
    ref,
    ...rule,
    product_ids: list.optional(),
    price_ids: list.optional(),
    interval: z.enum(['monthly', 'yearly']).optional(),
    subscription_only: z.boolean().default(false),
    hold_days: days.optional(),
    duration: duration.optional(),
    priority: z.int().default(0),
  })
  .refine(exactlyOne, { error: 'needs either "percent" or "fixed"', ...always });

const schedule = z.strictObject({
  every: z.enum(['week', 'half_month', 'month']),
  net_days: days.default(0),
});

const program = z
  .strictObject({
    ref,
    name,
    currency,
    timezone: zone,
    hold_days: days.default(30),
    commission: z
      .strictObject(rule)
      .refine(exactlyOne, { error: 'needs either "percent" or "fixed"', ...always })
      .optional(),
    rounding: z.enum(['half_up', 'half_even']).default('half_up'),
    minimum_payout: amount.default('0'),
    payout_schedule: schedule.default({ every: 'month', net_days: 0 }),
    commission_approval: z.enum(['automatic', 'manual']).default('automatic'),
    payout_approval: z.enum(['automatic', 'manual', 'two_persons']).default('manual'),
    incentives: z.array(incentive).default([]),
  })
  .superRefine((value, context) => {
    const check = (text: unknown, at: (string | number)[]) => {
      if (!isCurrency(value.currency) || !amount.safeParse(text).success) return;
      if (typeof parseAmount(String(text), value.currency) === 'string') {
        context.addIssue({
          code: 'custom',
          path: at,
          message: `is no amount in ${value.currency}, or has too many decimals`,
        });
      }
    };
    check(value.minimum_payout, ['minimum_payout']);
    check(value.commission?.fixed, ['commission', 'fixed']);
    for (const [index, one] of listOf(value.incentives).entries())
      check(one?.fixed, ['incentives', index, 'fixed']);
    reportDoubles(value.incentives, ['incentives'], context);
  }, always);

const fields = z.partialRecord(z.enum(saleFields), z.string().min(1, 'must not be empty, or be left out'));

/** The encodings that a text file may be in. */
export const encodings = ['utf-8', 'utf-16le', 'utf-16be', 'windows-1252', 'macroman'] as const;

export type Encoding = (typeof encodings)[number];

const source = z.strictObject({
  ref,
  kind: z.enum(['sales_csv', 'affonso_events', 'stripe_events']),
  program: ref,
  /** A known export, on top of which the other settings are laid. */
  preset: z.enum(presetNames).optional(),
  /** What becomes of a sale without affiliate whose customer is not known; `reject`, or `ignore` with a preset. */
  unattributed: z.enum(['reject', 'ignore']).optional(),
  /** Where a date without an offset was written; the programme's own zone unless said. */
  timezone: zone.optional(),
  /** Canonical field to the header of the file, or its position as "#3". */
  mapping: fields.optional(),
  defaults: fields.optional(),
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
});

const account = z
  .strictObject({
    ref,
    name,
    programs: z.array(program).min(1, 'needs at least one programme'),
    sources: z.array(source).default([]),
  })
  .superRefine((value, context) => {
    reportDoubles(value.programs, ['programs'], context);
    reportDoubles(value.sources, ['sources'], context);
    const known = listOf(value.programs).map((program) => program?.ref);
    for (const [index, one] of listOf(value.sources).entries()) {
      if (ref.safeParse(one?.program).success && !known.includes(one.program)) {
        context.addIssue({
          code: 'custom',
          path: ['sources', index, 'program'],
          message: `names no programme of this account (${known.join(', ')})`,
        });
      }
    }
  }, always);

const job = z.strictObject({
  cron: z.string().refine((text) => cron.validate(text), 'is no cron expression such as "0 2 * * *"'),
  timezone: zone,
  /** What to do about slots that passed while nothing ran. */
  missed: z.enum(['none', 'latest', 'all']).default('latest'),
});

/** The shape of payrun.json; unknown keys are faults. */
export const fileSchema = z.strictObject({
  accounts: z
    .array(account)
    .min(1, 'needs at least one account')
    .superRefine((value, context) => reportDoubles(value, [], context), always),
  jobs: z.record(z.string(), job).default({}),
});
