import cron from 'node-cron';
import { z } from 'zod';
import { listOf, reportDoubles } from './config-doubles.ts';
import { source } from './config-source.ts';
import { always, ref, zone } from './config-words.ts';
import { listed } from './errors.ts';
import { isCurrency, parseAmount, parsePercent } from './money.ts';

const name = z.string().min(1, 'must not be empty').max(200);
const days = z
  .int('must be a whole number of days')
  .min(0, 'must be 0 days or more')
  .max(3650, 'must be at most 3650 days');
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
          message: `names no programme of this account (${listed(known)})`,
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

/** What others may do with the files that Payrun writes: by default nothing. */
const fileMode = z.enum(['0600', '0640', '0660']).default('0600');

/** The shape of payrun.json; unknown keys are faults. */
export const fileSchema = z.strictObject({
  accounts: z
    .array(account)
    .min(1, 'needs at least one account')
    .superRefine((value, context) => reportDoubles(value, [], context), always),
  jobs: z.record(z.string(), job).default({}),
  file_mode: fileMode.transform((text) => Number.parseInt(text, 8)),
});
