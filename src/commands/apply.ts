import type { Command } from 'commander';
import { applyAccounts, type Change, type Plan } from '../db/apply.ts';
import { withWorkspace } from './open.ts';
import { dryRunFlag, dryRunHelp } from './options.ts';
import { indent, type Paint, paragraphs, plural } from './render.ts';
import type { Answer, Shell } from './shell.ts';

/** Adds `payrun apply`. */
export function register(program: Command, shell: Shell): void {
  program
    .command('apply')
    .summary('make the database agree with payrun.json')
    .description(
      "Make the database's programmes, incentives and sources those of payrun.json, showing the difference first. " +
        'What payrun.json no longer names is retired: nothing that has history is deleted.',
    )
    .option(dryRunFlag, dryRunHelp)
    .action(shell.does((options: { dryRun?: boolean }) => apply(shell, options)));
}

async function apply(shell: Shell, { dryRun = false }: { dryRun?: boolean }): Promise<Answer> {
  const plan = await withWorkspace(shell, ({ config, db }) =>
    applyAccounts(db, config.accounts, shell.clock(), {
      dryRun,
      show: (found) => shell.show((paint) => describePlan(paint, found)),
    }),
  );
  const count = plan.changes.length;
  return {
    data: { dry_run: dryRun, changes: plan.changes, unnamed_accounts: plan.unnamed },
    text: (paint) => {
      if (count === 0) return '';
      if (dryRun) return `\n${paint.warn('Dry run: nothing was changed.')}`;
      return `\n${paint.good(`Done: ${plural(count, 'change')}.`)} Sales recorded from now on follow them.`;
    },
  };
}

/** The difference between payrun.json and the database, a paragraph a change. */
export function describePlan(paint: Paint, plan: Plan): string {
  const changes = plan.changes.map((change) => describeChange(paint, change));
  const unnamed = plan.unnamed.map(
    (ref) => `The account ${ref} is in the database but not in payrun.json; it stays as it is.`,
  );
  if (changes.length === 0) changes.push('There is nothing to change: the database agrees with payrun.json.');
  return paragraphs(changes.join('\n'), unnamed.join('\n'));
}

const signs = { added: '+', changed: '~', retired: '-', restored: '+' } as const;

function describeChange(paint: Paint, { kind, noun, name, fields }: Change): string {
  const colour = { added: paint.good, changed: paint.warn, retired: paint.bad, restored: paint.good }[kind];
  const longest = Math.max(0, ...fields.map(({ field }) => field.length));
  const lines = fields.map(({ field, was, becomes }) => {
    const change = was === null ? becomes : `${was} -> ${becomes}`;
    return `${paint.dim(field.padEnd(longest))}  ${change}`;
  });
  const title = `${signs[kind]} ${kind} ${noun === 'program' ? 'programme' : noun} ${name}`;
  return [colour(title), indent(indent(lines.join('\n')))].filter(Boolean).join('\n');
}
