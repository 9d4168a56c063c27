import type { Command } from 'commander';
import { PayrunError } from '../errors.ts';
import { findAffiliate } from '../ledger/named.ts';
import { type AffiliateBalance, endOfDay, listOwed, type OwedSum, sumOwed } from '../ledger/owed.ts';
import { formatAmount, showBare, showCount } from '../money.ts';
import { answerList, type List, type ListFlags, withListFlags } from './lists.ts';
import { withAccount } from './open.ts';
import { readDay } from './options.ts';
import { type Paint, paragraphs, table, words } from './render.ts';
import type { Answer, Shell } from './shell.ts';

interface Flags extends ListFlags {
  asOf?: string;
  zone?: string;
  affiliate?: string;
}

const examples = `
Examples:
  payrun balances                                  what is owed now, to whom, and in which state
  payrun balances --as-of 2026-02-28 --csv         at the end of that day, for a spreadsheet
  payrun balances --affiliate ada                  one affiliate's`;

/** Adds `payrun balances`. */
export function register(program: Command, shell: Shell): void {
  const balances = program
    .command('balances')
    .summary('what is owed, to whom, and in which state; also on a past day')
    .description(
      'What is owed by affiliate, currency and state, as the journal has it; whoever is owed nothing is left out.',
    )
    .option('--as-of <day>', 'at the end of this day, by when it was booked; now when left out')
    .option('--zone <zone>', "where the day ends, if the account's programmes have several zones")
    .option('--affiliate <name>', 'only of this affiliate: ref, short code, e-mail or id')
    .addHelpText('after', examples);
  withListFlags(balances).action(shell.does((flags: Flags) => show(shell, flags)));
}

async function show(shell: Shell, flags: Flags): Promise<Answer> {
  const day = flags.asOf === undefined ? undefined : readDay('--as-of', flags.asOf);
  return withAccount(shell, ({ db }, account) =>
    db.transaction(
      async (session) => {
        const end =
          day === undefined ? undefined : await endOfDay(session, account.id, { day, zone: flags.zone });
        const { affiliate } = flags;
        const affiliateId = affiliate && (await findAffiliate(session, account.id, affiliate)).id;
        const filter = { affiliateId, before: end?.before };
        const when = end ? `At the end of ${day}, ${end.zone}` : 'Now';
        return answerList(shell, flags, {
          ...view,
          read: (choice) => listOwed(session, account.id, filter, choice),
          readBeside: () => sumOwed(session, account.id, filter),
          besideData: (sums) => ({ as_of: end?.before ?? null, sums: sums.map(sumData) }),
          describe: (paint, rows, sums) => describe(paint, when, rows, sums),
        });
      },
      { snapshot: true },
    ),
  );
}

const states = ['pending', 'awaiting', 'ready', 'in_payout', 'owed', 'paid', 'declined'] as const;

const view: Omit<List<AffiliateBalance, OwedSum[]>, 'read' | 'describe'> = {
  name: 'balances',
  columns: {
    affiliate: ({ affiliate }) => affiliate,
    name: ({ name }) => name,
    currency: ({ currency }) => currency,
    ...Object.fromEntries(
      states.map((state) => [state, (row: AffiliateBalance) => formatAmount(row[state], row.currency)]),
    ),
  },
  readKey: (text) => {
    if (/^.+:[A-Z]{3}$/.test(text)) return text;
    throw new PayrunError('usage', 'This is no row of this list.', {
      place: { field: '--after' },
      found: text,
      todo: 'Give what the end of the page before says, such as ada:USD.',
    });
  },
};

function sumData({ currency, affiliates, ...sum }: OwedSum) {
  const amounts = states.map((state) => [state, formatAmount(sum[state], currency)]);
  return { currency, affiliates, ...Object.fromEntries(amounts) };
}

/** The states in which nothing is have no column; those that are over stand in JSON and CSV. */
function describe(paint: Paint, when: string, rows: AffiliateBalance[], sums: OwedSum[]): string {
  if (rows.length === 0) return `${when} nothing is owed.`;
  const shown = states.slice(0, 5).filter((state) => sums.some((sum) => sum[state] !== 0n));
  const amounts = (row: AffiliateBalance | OwedSum) =>
    shown.map((state) => showBare(row[state], row.currency));
  const right = shown.map((state) => ({ title: words(state), align: 'right' as const }));
  const lines = rows.map((row) => [row.affiliate, row.currency, ...amounts(row)]);
  const totals = sums.map((sum) => [`all ${showCount(sum.affiliates)}`, sum.currency, ...amounts(sum)]);
  return paragraphs(
    `${when}:`,
    table(paint, [{ title: 'affiliate' }, { title: 'in' }, ...right], [...lines, ...totals]),
  );
}
