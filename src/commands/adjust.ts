import type { Command } from 'commander';
import type { Db } from '../db/connect.ts';
import type { AffiliateStatus } from '../db/tables.ts';
import { listed, PayrunError } from '../errors.ts';
import { showId } from '../ids.ts';
import { adjust } from '../ledger/adjust.ts';
import { findAffiliate } from '../ledger/named.ts';
import { personNamed } from '../ledger/person.ts';
import { formatAmount, isCurrency, parseAmount } from '../money.ts';
import type { Outcome, Work } from '../runs/work.ts';
import { withAccount } from './open.ts';
import { byFlag, byHelp, dryRunFlag, dryRunHelp, reasonFlag, reasonHelp } from './options.ts';
import { runWork } from './run-job.ts';
import type { Answer, Shell } from './shell.ts';

interface Wish {
  affiliate: string;
  amount: string;
  reason: string;
  by: string;
  currency?: string;
  program?: string;
}

const examples = `
Examples:
  payrun adjust ada 25.00 --reason "prize of May" --by "Ada L."
  payrun adjust ada -12.50 --reason "paid twice in April" --by "Ada L." --dry-run`;

/** Adds `payrun adjust`. */
export function register(program: Command, shell: Shell): void {
  program
    .command('adjust')
    .summary('give an affiliate an amount, or take one, by name and with a reason')
    .description(
      'Give an affiliate an amount, or take one that is negative. It is due at once; the next payout takes it up.',
    )
    .argument('<affiliate>', 'ref, short code, e-mail or id')
    .argument('<amount>', 'exact, in major units: 25.00, or -12.50 to take')
    .requiredOption(reasonFlag, reasonHelp)
    .requiredOption(byFlag, byHelp)
    .option('--currency <code>', "the programme's when left out")
    .option('--program <ref>', 'the programme, where the account has several')
    .option(dryRunFlag, dryRunHelp)
    .addHelpText('after', examples)
    .action(
      shell.does((affiliate: string, amount: string, flags: Omit<Wish, 'affiliate'> & { dryRun?: boolean }) =>
        book(shell, { ...flags, affiliate, amount }, flags.dryRun),
      ),
    );
}

async function book(shell: Shell, wish: Wish, dryRun = false): Promise<Answer> {
  const by = personNamed(wish.by, 'An adjustment');
  return withAccount(shell, async (context, account) => {
    const affiliate = await findAffiliate(context.db, account.id, wish.affiliate);
    const program = await findProgram(context.db, account.id, wish.program);
    const currency = wish.currency?.trim().toUpperCase() ?? program.currency;
    const amount = readAmount(wish.amount, currency);
    const given = { affiliate, program, currency, amount, reason: wish.reason.trim(), by };
    const parameters = {
      affiliate: showId('affiliate', affiliate.id),
      program: program.ref,
      amount: formatAmount(amount, currency),
      currency,
      reason: given.reason,
      by,
    };
    return runWork(context, account, { name: 'adjust', parameters, dryRun }, (work) => bookIn(work, given));
  });
}

interface Given {
  affiliate: { id: string; ref: string; name: string; status: AffiliateStatus };
  program: { id: string; ref: string };
  currency: string;
  amount: bigint;
  reason: string;
  by: string;
}

function bookIn(work: Work, { affiliate, program, currency, amount, reason, by }: Given): Promise<Outcome> {
  return work.transaction(async (session, mover) => {
    const [id] = await adjust(session, mover, [
      { affiliateId: affiliate.id, programId: program.id, currency, amount, reason, by },
    ]);
    const adjustment = showId('commission', id!);
    const adjusted = formatAmount(amount, currency);
    const payment =
      affiliate.status === 'active'
        ? 'The next payout takes it up'
        : `The affiliate is ${affiliate.status}, and is paid once active`;
    return {
      counts: { adjustments: 1 },
      totals: { [currency]: { adjusted } },
      report: {
        adjustment,
        affiliate: affiliate.ref,
        name: affiliate.name,
        program: program.ref,
        amount: adjusted,
        currency,
        reason,
        by,
        due: mover.now.toISOString(),
        next: `${payment}; "payrun explain ${adjustment}" says where it is.`,
      },
    };
  });
}

/** Minor units of an amount as a person types it. Raises `usage`. */
function readAmount(text: string, currency: string): bigint {
  const place = { field: 'amount' };
  if (!isCurrency(currency)) {
    throw new PayrunError('usage', 'This is no ISO 4217 currency code such as USD.', {
      place: { field: '--currency' },
      found: currency,
    });
  }
  const amount = parseAmount(text.trim(), currency);
  if (typeof amount === 'bigint') return amount;
  const what = {
    'amount-format': 'This is no amount; write digits and a point, such as 25.00 or -12.50.',
    'amount-decimals': `This has more decimals than ${currency} has; write the exact amount.`,
    'amount-too-large': 'This is more than one adjustment may have; check its decimal point.',
  }[amount];
  throw new PayrunError('usage', what, {
    place,
    found: text,
    todo: 'Nothing was booked; correct the amount.',
  });
}

async function findProgram(db: Db, accountId: number, ref: string | undefined) {
  const programs = await db.sql
    .selectFrom('program')
    .select(['id', 'ref', 'currency', 'retired'])
    .where('account_id', '=', accountId)
    .orderBy('ref')
    .execute();
  const chosen = programs.filter((one) => (ref === undefined ? !one.retired : one.ref === ref));
  if (chosen.length === 1) return chosen[0]!;
  throw new PayrunError('usage', 'Say which programme the adjustment belongs to.', {
    ...(ref === undefined ? {} : { found: ref }),
    todo: `Give it with --program: ${listed(programs.map((one) => one.ref))}.`,
  });
}
