import type { Command } from 'commander';
import { readAdjustment } from '../ledger/explain/adjustment.ts';
import { readAffiliate } from '../ledger/explain/affiliate.ts';
import { readParked } from '../ledger/explain/parked.ts';
import { readPayout } from '../ledger/explain/payout.ts';
import { readSale } from '../ledger/explain/sale.ts';
import { findSubject } from '../ledger/explain.ts';
import { explainAdjustment } from './explain-adjustment.ts';
import { explainAffiliate } from './explain-affiliate.ts';
import { explainParked } from './explain-parked.ts';
import { explainPayout } from './explain-payout.ts';
import { explainSale } from './explain-sale.ts';
import type { Explanation } from './explain-words.ts';
import { withAccount } from './open.ts';
import { paragraphs, section, sentences } from './render.ts';
import type { Answer, Shell } from './shell.ts';

const examples = `
Examples:
  payrun explain INV-1001                the sale with this external id, and its commission
  payrun explain com_01kj...             a commission by its id (cnv_ a conversion, po_ a payout, aff_ an affiliate)
  payrun explain 7K3MQ9ZX42AB            a payout, by the reference on the bank statement
  payrun explain ada                     an affiliate by ref, short code or e-mail`;

/** Adds `payrun explain`. */
export function register(program: Command, shell: Shell): void {
  program
    .command('explain')
    .summary('why a commission, sale, payout or affiliate stands where it does')
    .description('Say in words why a commission, a sale, a payout or an affiliate stands where it does.')
    .argument(
      '<id>',
      'an id, the external id of a sale, a refund or a dispute, the reference of a payout, or the name of an affiliate',
    )
    .addHelpText('after', examples)
    .action(shell.does((text: string) => explain(shell, text)));
}

async function explain(shell: Shell, text: string): Promise<Answer> {
  const { title, parts, data } = await withAccount(shell, ({ db }, account) =>
    db.transaction(
      async (session): Promise<Explanation> => {
        const { kind, id } = await findSubject(session, account.id, text);
        const now = shell.clock();
        if (kind === 'sale') return explainSale(await readSale(session, account.id, id), now);
        if (kind === 'parked') return explainParked(await readParked(session, account.id, id));
        if (kind === 'payout') return explainPayout(await readPayout(session, account.id, id));
        if (kind === 'adjustment') return explainAdjustment(await readAdjustment(session, account.id, id));
        return explainAffiliate(await readAffiliate(session, account.id, id));
      },
      { snapshot: true },
    ),
  );
  return {
    data,
    text: (paint) =>
      paragraphs(sentences([title(paint)]), ...parts.map((part) => section(paint, part.heading, part.lines))),
  };
}
