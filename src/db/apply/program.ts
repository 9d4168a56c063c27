import { sql } from 'kysely';
import type { ProgramConfig } from '../../config.ts';
import { PayrunError } from '../../errors.ts';
import { formatPercent, parseAmount, showAmount } from '../../money.ts';
import type { Session } from '../connect.ts';
import type { ProgramRow } from '../tables.ts';
import type { Change, Fields, Pair } from './pair.ts';

/** Without the tenant, which a new account does not have yet. */
export type Program = Omit<ProgramRow, 'account_id'>;

export function programRow(id: string, program: ProgramConfig): Program {
  return {
    id,
    ref: program.ref,
    name: program.name,
    currency: program.currency,
    timezone: program.timezone,
    hold_days: program.hold_days,
    rate_ppm: program.commission?.percent ?? null,
    fixed_amount: minorUnits(program.commission?.fixed, program.currency),
    rounding: program.rounding,
    minimum_payout: minorUnits(program.minimum_payout, program.currency) ?? 0n,
    payout_every: program.payout_schedule.every,
    payout_net_days: program.payout_schedule.net_days,
    commission_approval: program.commission_approval,
    payout_approval: program.payout_approval,
    retired: false,
  };
}

export const programPair: Pick<Pair<Program>, 'noun' | 'fields' | 'save'> = {
  noun: 'program',
  fields: (row): Fields => ({
    name: row.name,
    currency: row.currency,
    timezone: row.timezone,
    hold_days: String(row.hold_days),
    commission: commissionText(row, row.currency),
    rounding: row.rounding,
    minimum_payout: showAmount(row.minimum_payout, row.currency),
    payout_schedule: `every ${row.payout_every}, ${row.payout_net_days} net days`,
    commission_approval: row.commission_approval,
    payout_approval: row.payout_approval,
  }),
  save: (session, accountId, { id, ...values }) =>
    session.sql
      .insertInto('program')
      .values({ account_id: accountId, id, ...values })
      .onConflict((conflict) => conflict.columns(['account_id', 'id']).doUpdateSet(values))
      .execute(),
};

/** Raises `state` when the programme has conversions: its limits and rules would mean other money. */
export async function checkCurrency(
  session: Session,
  accountId: number,
  name: string,
  { present, desired }: { present: Program | undefined; desired: Program | undefined },
): Promise<void> {
  if (!present || !desired || present.currency === desired.currency) return;
  const conversion = await session.sql
    .selectFrom('conversion')
    .select('id')
    .where('account_id', '=', accountId)
    .where('program_id', '=', present.id)
    .limit(1)
    .executeTakeFirst();
  if (!conversion) return;
  const change = `${present.currency} -> ${desired.currency}`;
  throw new PayrunError('state', `The programme ${name} has conversions, so its currency must stay.`, {
    place: { file: 'payrun.json', field: 'currency' },
    found: change,
    todo: `Put ${present.currency} back, and add another programme for ${desired.currency}.`,
  });
}

/** What is still to be paid by a programme that is about to retire, a line a currency: retiring changes nothing about it. */
export async function owedThere(
  session: Session,
  accountId: number,
  programId: string,
): Promise<Change['fields']> {
  const owed = await sql<{ currency: string; amount: bigint }>`/* apply.owed */
    select currency, sum(amount)::bigint as amount from commission
    where account_id = ${accountId} and program_id = ${programId}::uuid
      and status in ('pending', 'pending_manual_approval', 'ready_for_payment')
    group by currency having sum(amount) <> 0 order by currency collate "C"`.execute(session.sql);
  return owed.rows.map(({ currency, amount }) => ({
    field: 'owed',
    was: null,
    becomes: `${showAmount(amount, currency)}, which is released and paid as before`,
  }));
}

/** `20 %`, `5.00 USD` or `none`. */
export function commissionText(
  row: { rate_ppm: number | null; fixed_amount: bigint | null },
  currency: string,
): string {
  if (row.rate_ppm !== null) return `${formatPercent(row.rate_ppm)} %`;
  return row.fixed_amount === null ? 'none' : showAmount(row.fixed_amount, currency);
}

/** Null for what is left out. The configuration has been checked, so an amount can only be one. */
export function minorUnits(text: string | undefined, currency: string): bigint | null {
  if (text === undefined) return null;
  const amount = parseAmount(text, currency);
  if (typeof amount === 'string') throw new Error('The configuration holds an amount that was not checked.');
  return amount;
}
