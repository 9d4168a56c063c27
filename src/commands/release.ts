import type { Command } from 'commander';
import { asOfFlag, asOfHelp, dryRunFlag, dryRunHelp } from './options.ts';
import { type RunJobOptions, runJob } from './run-job.ts';
import type { Shell } from './shell.ts';

const examples = `
Examples:
  payrun release --dry-run                  what would become ready to be paid now
  payrun release --as-of 2026-03-01         as of the beginning of that day`;

/** Adds `payrun release`. */
export function register(program: Command, shell: Shell): void {
  program
    .command('release')
    .summary('release the commissions whose hold has ended')
    .description(
      'Release the commissions whose hold has ended: to be paid, or to be approved where that is asked.',
    )
    .option(asOfFlag, asOfHelp)
    .option(dryRunFlag, dryRunHelp)
    .addHelpText('after', examples)
    .action(shell.does((options: RunJobOptions) => runJob(shell, 'release-holds', options)));
}
