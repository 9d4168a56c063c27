import type { Command } from 'commander';
import { PayrunError } from '../errors.ts';
import type { Job } from '../runs/define-job.ts';
import { asOfFlag, asOfHelp, dryRunFlag, dryRunHelp } from './options.ts';
import { type RunJobOptions, runJob } from './run-job.ts';
import type { Shell } from './shell.ts';

const examples = `
Examples:
  payrun run nightly                              the whole night, now
  payrun run nightly --as-of 2026-03-01T02:00     as of that local time of the job's zone
  payrun run release-holds --dry-run              what it would do
  payrun run prepare-payouts --param prepared_by=ada

Run it without knowing a job's name and Payrun says which there are. Your own go into the workspace's jobs/ folder.`;

/** Adds `payrun run`. */
export function register(program: Command, shell: Shell): void {
  program
    .command('run')
    .summary('run a job now')
    .description('Run a job once, now. Its outcome is kept: see "payrun runs".')
    .argument('<job>', 'its name, such as "nightly"')
    .option(asOfFlag, asOfHelp)
    .option(dryRunFlag, dryRunHelp)
    .option('--param <name=value>', 'a parameter of the job; may be given several times', collect, [])
    .addHelpText('after', examples)
    .action(
      shell.does((job: string, options: RunJobOptions & { param: string[] }) =>
        runJob(shell, job, options, (found) => readParameters(found, options.param)),
      ),
    );
}

function collect(value: string, earlier: string[]): string[] {
  return [...earlier, value];
}

/** `name=value` texts as the values that the job's schema wants: text where it takes text, else what JSON says. */
export function readParameters(job: Job, texts: string[]): Record<string, unknown> {
  const shape: Record<string, { safeParse(value: unknown): { success: boolean } } | undefined> =
    job.parameters.shape;
  return Object.fromEntries(
    texts.map((text) => {
      const cut = text.indexOf('=');
      if (cut < 1) {
        throw new PayrunError('usage', 'A parameter is written as name=value.', {
          place: { field: '--param' },
          found: text,
        });
      }
      const name = text.slice(0, cut);
      const value = text.slice(cut + 1);
      const schema = Object.hasOwn(shape, name) ? shape[name] : undefined;
      const takesText = schema?.safeParse(value).success ?? true;
      return [name, takesText ? value : fromJson(value)];
    }),
  );
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
