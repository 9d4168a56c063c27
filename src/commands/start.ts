import type { Command } from 'commander';
import { PayrunError } from '../errors.ts';
import { startScheduler } from '../runs/schedule.ts';
import { warnOfUnapplied } from './applied.ts';
import { withWorkspace } from './open.ts';
import type { Answer, Shell } from './shell.ts';

/** Adds `payrun start`. */
export function register(program: Command, shell: Shell): void {
  program
    .command('start')
    .summary('run the jobs at their times')
    .description(
      'Run the jobs of payrun.json at their times, for every account, until told to stop. ' +
        'Runs under way then finish; told again, they are interrupted.',
    )
    .action(shell.does(() => start(shell)));
}

async function start(shell: Shell): Promise<Answer> {
  const drain = new AbortController();
  const interrupt = new AbortController();
  shell.onStop((count) => {
    if (count > 1) shell.say('interrupting the runs under way…');
    (count === 1 ? drain : interrupt).abort();
    return count <= 2;
  });
  await withWorkspace(
    shell,
    async (context) => {
      if (Object.keys(context.config.jobs).length === 0) {
        throw new PayrunError('config-invalid', 'payrun.json schedules no jobs.', {
          place: { file: 'payrun.json', field: 'jobs' },
          todo: 'Add "jobs": { "nightly": { "cron": "0 2 * * *", "timezone": "Europe/Berlin" } }.',
        });
      }
      await warnOfUnapplied(context);
      await startScheduler(context, { stop: drain.signal });
    },
    { signal: interrupt.signal, alwaysLog: true },
  );
  return { data: { stopped: true }, text: () => '' };
}
