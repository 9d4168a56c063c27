import type { Command } from 'commander';
import { parseId, showId } from '../ids.ts';
import { acceptConflict } from '../ledger/accept.ts';
import { listConflicts, readConflict } from '../ledger/conflicts.ts';
import { keepConflicts } from '../ledger/keep.ts';
import { personNamed } from '../ledger/person.ts';
import { viewConflict } from '../ledger/views.ts';
import { formatAmount } from '../money.ts';
import type { Outcome, Work } from '../runs/work.ts';
import { conflictData, describeConflict, describeConflictList } from './describe-conflict.ts';
import { withAccount } from './open.ts';
import {
  byFlag,
  byHelp,
  dryRunFlag,
  dryRunHelp,
  limitFlag,
  limitHelp,
  readCount,
  reasonFlag,
  reasonHelp,
} from './options.ts';
import { runWork } from './run-job.ts';
import type { Answer, Shell } from './shell.ts';

interface DecisionFlags {
  by: string;
  reason?: string;
  dryRun?: boolean;
}

const examples = `
Examples:
  payrun conflicts list                                  what waits for a decision
  payrun conflicts show cfl_01kj...                      both versions, field by field
  payrun conflicts keep cfl_01kj... --by Ada --reason "typo"  what is recorded stays; the other version is put aside
  payrun conflicts accept cfl_01kj... --by Ada --dry-run  what accepting the other version would book`;

/** Adds `payrun conflicts list`, `show`, `keep` and `accept`. */
export function register(program: Command, shell: Shell): void {
  const conflicts = program
    .command('conflicts')
    .summary('sales that came again with other facts: list, show, decide')
    .description('Sales that came again with other facts; what was recorded stays until a person decides.')
    .addHelpText('after', examples);
  conflicts
    .command('list')
    .description('The conflicts that wait for a decision, newest first.')
    .option('--all', 'those that were decided too, after the open ones')
    .option(limitFlag, limitHelp, '50')
    .action(shell.does((flags: { all?: boolean; limit: string }) => list(shell, flags)));
  conflicts
    .command('show')
    .description(
      'One conflict: what is recorded and what came again, field by field, and where each came from.',
    )
    .argument('<conflict>', 'its id, as "payrun conflicts list" shows it')
    .action(shell.does((id: string) => show(shell, id)));
  conflicts
    .command('keep')
    .description('Decide that what is recorded is right; the other version is put aside, and no money moves.')
    .argument('<conflict...>', 'their ids')
    .requiredOption(byFlag, byHelp)
    .option(reasonFlag, reasonHelp)
    .option(dryRunFlag, dryRunHelp)
    .action(shell.does((ids: string[], flags: DecisionFlags) => keep(shell, ids, flags)));
  conflicts
    .command('accept')
    .description(
      'Decide that what came again is right: it counts from now on, and the difference in commission is booked.',
    )
    .argument('<conflict>', 'its id')
    .requiredOption(byFlag, byHelp)
    .option(reasonFlag, reasonHelp)
    .option(dryRunFlag, dryRunHelp)
    .action(shell.does((id: string, flags: DecisionFlags) => accept(shell, id, flags)));
}

async function list(shell: Shell, { all = false, limit }: { all?: boolean; limit: string }): Promise<Answer> {
  const count = readCount('--limit', limit);
  return withAccount(shell, async ({ db }, account) => {
    const conflicts = await listConflicts(db.sql, account.id, { all, limit: count });
    return {
      data: conflicts.map(viewConflict),
      text: (paint) => describeConflictList(paint, conflicts, all),
    };
  });
}

async function show(shell: Shell, text: string): Promise<Answer> {
  const conflictId = parseId('conflict', text);
  return withAccount(shell, async ({ db }, account) => {
    const story = await db.transaction((session) => readConflict(session, account.id, conflictId), {
      snapshot: true,
    });
    return { data: conflictData(story), text: (paint) => describeConflict(paint, story) };
  });
}

async function keep(shell: Shell, texts: string[], flags: DecisionFlags): Promise<Answer> {
  const conflictIds = texts.map((text) => parseId('conflict', text));
  const by = personNamed(flags.by, 'A decision');
  const { reason, dryRun } = flags;
  const parameters = {
    conflicts: conflictIds.map((id) => showId('conflict', id)),
    by,
    reason: reason ?? null,
  };
  return withAccount(shell, async (context, account) =>
    runWork(context, account, { name: 'keep-conflicts', parameters, dryRun: dryRun === true }, (work) =>
      keepIn(work, { conflictIds, by, reason }),
    ),
  );
}

function keepIn(work: Work, choice: Parameters<typeof keepConflicts>[2]): Promise<Outcome> {
  return work.transaction(async (session, mover) => {
    await keepConflicts(session, mover, choice);
    return { counts: { kept: new Set(choice.conflictIds).size }, totals: {} };
  });
}

async function accept(shell: Shell, text: string, flags: DecisionFlags): Promise<Answer> {
  const conflictId = parseId('conflict', text);
  const by = personNamed(flags.by, 'A decision');
  const { reason, dryRun = false } = flags;
  const parameters = { conflict: showId('conflict', conflictId), by, reason: reason ?? null };
  return withAccount(shell, async (context, account) =>
    runWork(context, account, { name: 'accept-conflict', parameters, dryRun }, (work) =>
      acceptIn(work, { conflictId, by, reason }),
    ),
  );
}

function acceptIn(work: Work, choice: Parameters<typeof acceptConflict>[2]): Promise<Outcome> {
  return work.transaction(async (session, mover) => {
    const { externalId, conversionId, way, booked } = await acceptConflict(session, mover, choice);
    const totals: Outcome['totals'] = {};
    for (const currency of new Set(booked.map((line) => line.currency))) {
      const lines = booked.filter((line) => line.currency === currency);
      const sum = lines.reduce((total, line) => total + line.amount, 0n);
      totals[currency] = { commissions: formatAmount(sum, currency) };
    }
    return {
      counts: { accepted: 1, lines: booked.length },
      totals,
      report: {
        sale: externalId,
        conversion: showId('conversion', conversionId),
        way,
        booked: booked.map(({ id, affiliate, amount, currency, status }) => ({
          commission: showId('commission', id),
          affiliate,
          amount: formatAmount(amount, currency),
          currency,
          status,
        })),
      },
    };
  });
}
