import { type Command, Option } from 'commander';
import type { AffiliateStatus } from '../db/tables.ts';
import { showId } from '../ids.ts';
import { type ListedAffiliate, listAffiliates, showAffiliate } from '../ledger/affiliates.ts';
import type { Balances } from '../ledger/balances.ts';
import { formatAmount, showAmount } from '../money.ts';
import { affiliateData, describeAffiliate } from './describe-affiliate.ts';
import { answerList, type List, type ListFlags, withListFlags } from './lists.ts';
import { withAccount } from './open.ts';
import { type Paint, table } from './render.ts';
import type { Answer, Shell } from './shell.ts';

interface Flags extends ListFlags {
  status?: AffiliateStatus;
  program?: string;
  search?: string;
}

const examples = `
Examples:
  payrun affiliates list --status paused         who is paused, and what is owed to them
  payrun affiliates list --search example.com    by a part of ref, name, short code or e-mail
  payrun affiliates show ada                     what is owed to her, and why it was not paid`;

/** Adds `payrun affiliates list` and `show`. */
export function register(program: Command, shell: Shell): void {
  const affiliates = program
    .command('affiliates')
    .summary('who is paid: list, show')
    .description('The affiliates, what is owed to them, and why it is not paid.')
    .addHelpText('after', examples);
  const list = affiliates
    .command('list')
    .description('The affiliates, by ref.')
    .addOption(
      new Option('--status <status>', 'only those in this state').choices([
        'pending',
        'active',
        'paused',
        'banned',
      ]),
    )
    .option('--program <ref>', 'only those who have earned something in this programme')
    .option('--search <text>', 'only those with this in their ref, name, short code or e-mail address');
  withListFlags(list).action(shell.does((flags: Flags) => show(shell, flags)));
  affiliates
    .command('show')
    .description('One affiliate: balances, the latest commissions and payouts, and why it was not paid.')
    .argument('<affiliate>', 'ref, short code, e-mail or id')
    .action(shell.does((text: string) => showOne(shell, text)));
}

async function show(shell: Shell, flags: Flags): Promise<Answer> {
  return withAccount(shell, ({ db }, account) =>
    db.transaction(
      async (session) =>
        answerList(shell, flags, {
          ...view,
          read: (choice) => listAffiliates(session, account.id, flags, choice),
        }),
      { snapshot: true },
    ),
  );
}

async function showOne(shell: Shell, text: string): Promise<Answer> {
  return withAccount(shell, async ({ db }, account) => {
    const details = await db.transaction(
      (session) => showAffiliate(session, account.id, text, shell.clock()),
      {
        snapshot: true,
      },
    );
    return { data: affiliateData(details), text: (paint) => describeAffiliate(paint, details) };
  });
}

const view: Omit<List<ListedAffiliate>, 'read'> = {
  name: 'affiliates',
  columns: {
    affiliate: ({ id }) => showId('affiliate', id),
    ref: ({ ref }) => ref,
    name: ({ name }) => name,
    short_code: ({ shortCode }) => shortCode,
    status: ({ status }) => status,
    payout_method: ({ method }) => method,
    has_destination: ({ hasDestination }) => (hasDestination ? 'yes' : 'no'),
    owed: ({ balances }) =>
      owedTexts(balances, (amount, currency) => `${formatAmount(amount, currency)} ${currency}`),
  },
  describe,
};

function describe(paint: Paint, rows: ListedAffiliate[]): string {
  if (rows.length === 0) return 'There are no such affiliates.';
  const columns = ['ref', 'name', 'status', 'paid by'].map((title) => ({ title }));
  const lines = rows.map(({ ref, name, status, method, hasDestination, balances }) => [
    ref,
    name,
    status === 'active' ? status : paint.warn(status),
    method === null || !hasDestination ? paint.warn('nothing yet') : method,
    owedTexts(balances, showAmount),
  ]);
  return table(paint, [...columns, { title: 'owed', align: 'right' }], lines);
}

/** What is owed in each currency, in one cell: what was earned and is neither paid nor declined. */
function owedTexts(balances: Balances[], show: (amount: bigint, currency: string) => string): string {
  return balances
    .map(({ pending, awaiting, ready, in_payout, currency }) => ({
      currency,
      owed: pending + awaiting + ready + in_payout,
    }))
    .filter(({ owed }) => owed !== 0n)
    .map(({ owed, currency }) => show(owed, currency))
    .join('; ');
}
