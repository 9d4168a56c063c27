import type { Command } from 'commander';
import { type AuditFinding, auditBooks } from '../ledger/audit.ts';
import { type Balances, readBalances } from '../ledger/balances.ts';
import { describeEquation, toAmounts } from './describe-balances.ts';
import { findAccounts, withWorkspace } from './open.ts';
import { type Paint, paragraphs, plural, section, table } from './render.ts';
import type { Answer, Shell } from './shell.ts';

interface Books {
  account: string;
  findings: AuditFinding[];
  balances: Balances[];
}

/** Adds `payrun audit`. */
export function register(program: Command, shell: Shell): void {
  program
    .command('audit')
    .summary('prove the books to the cent')
    .description(
      'Prove the books of every account, or that of --account: the journal agrees with the commissions to the cent, ' +
        'every payout with its lines, and no reference dangles. Exit code 1 on any finding.',
    )
    .action(shell.does(() => audit(shell)));
}

async function audit(shell: Shell): Promise<Answer> {
  const books = await withWorkspace(shell, async (context) => {
    const audited: Books[] = [];
    for (const { id, ref } of await findAccounts(shell, context)) {
      const work = context.db.transaction(
        async (session) => ({
          account: ref,
          findings: await auditBooks(session, id),
          balances: await readBalances(session, id),
        }),
        { snapshot: true },
      );
      audited.push(await work);
    }
    return audited;
  });
  return {
    data: books.map(({ balances, ...book }) => ({ ...book, balances: balances.map(toAmounts) })),
    text: (paint) =>
      paragraphs(...books.map((book) => section(paint, book.account, (inner) => describeBooks(inner, book)))),
    exitCode: books.some((book) => book.findings.length > 0) ? 1 : 0,
  };
}

function describeBooks(paint: Paint, { findings, balances }: Books): string {
  if (findings.length > 0) {
    const rows = findings.map((finding) => [finding.check, finding.message]);
    const sum = paint.bad(`The books do not add up: ${plural(findings.length, 'finding')}.`);
    return paragraphs(table(paint, [{ title: 'check' }, { title: 'finding' }], rows), sum);
  }
  return paragraphs(describeEquation(paint, balances), paint.good('The books add up to the cent.'));
}
