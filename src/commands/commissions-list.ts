import { type Command, Option } from 'commander';
import { PayrunError } from '../errors.ts';
import { parseId, showId } from '../ids.ts';
import {
  type CommissionFilter,
  type CommissionState,
  type CommissionSum,
  type ListedCommission,
  listCommissions,
} from '../ledger/commissions.ts';
import { formatAmount, isCurrency, showAmount, showCount } from '../money.ts';
import { localDay } from '../time.ts';
import { heldText } from './describe-held.ts';
import { answerList, type List, type ListFlags, withListFlags } from './lists.ts';
import { withAccount } from './open.ts';
import { readDay } from './options.ts';
import { type Paint, paragraphs, section, table, words } from './render.ts';
import type { Answer, Shell } from './shell.ts';

interface Flags extends ListFlags {
  status?: string;
  affiliate?: string;
  program?: string;
  source?: string;
  dueBefore?: string;
  currency?: string;
  held?: boolean;
}

/** As the journal names them, and as the API and the files do. */
const states: Record<string, CommissionState> = {
  pending: 'pending',
  awaiting: 'awaiting',
  ready: 'ready',
  in_payout: 'in_payout',
  paid: 'paid',
  declined: 'declined',
  pending_manual_approval: 'awaiting',
  ready_for_payment: 'ready',
};

/** Adds `payrun commissions list`. */
export function registerList(commissions: Command, shell: Shell): void {
  const list = commissions
    .command('list')
    .description('Commissions, in the order in which they were recorded, and what they come to.')
    .addOption(
      new Option(
        '--status <status>',
        'only those in this state: pending, awaiting (approval), ready, in_payout, paid, declined',
      ).choices(Object.keys(states)),
    )
    .option('--affiliate <name>', 'only those of this affiliate: ref, short code, e-mail or id')
    .option('--program <ref>', 'only those of this programme')
    .option('--source <ref>', 'only those of sales from this source')
    .option('--due-before <day>', "only those whose hold ends before this day, in their programme's zone")
    .option('--currency <code>', 'only those in this currency')
    .option('--held', 'only those that do not move although their hold has ended, and why');
  withListFlags(list).action(shell.does((flags: Flags) => show(shell, flags)));
}

async function show(shell: Shell, flags: Flags): Promise<Answer> {
  const filter = filterOf(shell, flags);
  return withAccount(shell, ({ db }, account) =>
    db.transaction(
      async (session) => {
        const { page, sums } = await listCommissions(session, account.id, filter);
        return answerList(shell, flags, { ...view, read: page, readBeside: sums });
      },
      { snapshot: true },
    ),
  );
}

function filterOf(shell: Shell, { status, held, dueBefore, currency, ...names }: Flags): CommissionFilter {
  const code = currency?.trim().toUpperCase();
  if (code !== undefined && !isCurrency(code)) {
    throw new PayrunError('usage', 'This is no ISO 4217 currency code such as USD.', {
      place: { field: '--currency' },
      found: code,
    });
  }
  return {
    ...names,
    state: status === undefined ? undefined : states[status],
    dueBefore: dueBefore === undefined ? undefined : readDay('--due-before', dueBefore),
    currency: code,
    heldAt: held ? shell.clock() : undefined,
  };
}

const view: Omit<List<ListedCommission, CommissionSum[]>, 'read'> = {
  name: 'commissions',
  columns: {
    commission: ({ id }) => showId('commission', id),
    affiliate: ({ affiliate }) => affiliate,
    name: ({ affiliateName }) => affiliateName,
    program: ({ program }) => program,
    sale: ({ sale }) => sale,
    occurred_at: ({ occurredAt }) => occurredAt,
    sale_amount: ({ saleAmount, saleCurrency }) =>
      saleAmount === null ? null : formatAmount(saleAmount, saleCurrency!),
    sale_currency: ({ saleCurrency }) => saleCurrency,
    amount: ({ amount, currency }) => formatAmount(amount, currency),
    currency: ({ currency }) => currency,
    state: ({ state }) => state,
    hold_until: ({ holdUntil }) => holdUntil,
    payout: ({ payout }) => payout,
    reason: ({ note }) => note,
    held: ({ held }) => held,
  },
  showKey: (key) => showId('commission', key),
  readKey: (text) => parseId('commission', text),
  besideData: (sums) => ({
    sums: sums.map(({ currency, lines, amount }) => ({
      currency,
      commissions: lines,
      amount: formatAmount(amount, currency),
    })),
  }),
  describe,
};

function describe(paint: Paint, rows: ListedCommission[], sums: CommissionSum[]): string {
  if (rows.length === 0) return 'There are no such commissions.';
  const right = (title: string) => ({ title, align: 'right' as const });
  const columns = [
    { title: 'sale' },
    { title: 'affiliate' },
    right('amount'),
    { title: 'state' },
    { title: 'due' },
    { title: 'payout or reason' },
  ];
  const lines = rows.map((row) => [
    row.sale ?? '',
    row.affiliate,
    showAmount(row.amount, row.currency),
    words(row.state),
    localDay(row.holdUntil, row.zone),
    row.held === null ? (row.note ?? row.payout ?? '') : heldText(row.held),
  ]);
  const totals = sums.map(({ currency, lines: count, amount }) => [
    currency,
    showCount(count),
    showAmount(amount, currency),
  ]);
  return paragraphs(
    table(paint, columns, lines),
    section(paint, 'All that the filter has', (inner) =>
      table(inner, [{ title: '' }, right('commissions'), right('amount')], totals),
    ),
  );
}
