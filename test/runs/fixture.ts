import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Config } from '../../src/config.ts';
import type { Context } from '../../src/context.ts';
import type { Db, Session } from '../../src/db/connect.ts';
import { PayrunError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import { defineJob, type Job } from '../../src/runs/define-job.ts';
import { listRuns } from '../../src/runs/history.ts';
import { executeRun, type RunOptions, type RunSpec } from '../../src/runs/run.ts';
import type { Outcome, Work } from '../../src/runs/work.ts';
import { today, World } from '../support/world.ts';

/** A context on a database, whose log is kept in `lines`; the clock stands still unless one is given. */
export function testContext(
  db: Db,
  given: Partial<Omit<Context<Db>, 'config' | 'db'>> & { config?: Partial<Config> } = {},
): Context<Db> & { lines: string[] } {
  const lines: string[] = [];
  const { config, ...rest } = given;
  return {
    db,
    clock: () => today,
    log: createLog({ write: (line) => void lines.push(line) }),
    signal: new AbortController().signal,
    ...rest,
    config: {
      workspace: '/no/workspace',
      accounts: [],
      jobs: {},
      file_mode: 0o600,
      databaseUrl: undefined,
      logFormat: 'text',
      ...config,
    },
    lines,
  };
}

/** A run of the job `a-job`, by hand, as of today, unless said otherwise. */
export function spec(given: Partial<RunSpec> = {}): RunSpec {
  return { job: 'a-job', parameters: {}, asOf: today, dryRun: false, ...given };
}

export const nothing: Outcome = { counts: {}, totals: {} };

/** Resolves when the process has ended, also if it had before; returns its exit code. */
export async function exited(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}

/** Resolves when `open` is called: a point at which a test holds a run up. */
export function gate(): { passed: Promise<void>; open(): void } {
  let open = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}

/** Work that finds a file torn. */
export const failing = async () => {
  throw new PayrunError('file-refused', 'The file is torn.');
};

/** A new account, and what a test does with it: its clock ticks once a second, its pauses take no time. */
export async function scene(db: Db) {
  const world = await World.create(db);
  const account = { id: world.accountId, ref: world.accountRef };
  let ticks = 0;
  const context = testContext(db, { clock: () => new Date(today.getTime() + 1000 * ticks++) });
  const run = <T extends Outcome>(
    given: Partial<RunSpec>,
    work: Job | ((work: Work) => Promise<T>),
    options: RunOptions = {},
  ) => executeRun(context, account, spec(given), work, { pause: async () => {}, ...options });
  const rename = async ({ client }: Session, name: string) => {
    const where = [world.accountId, world.programId, name];
    await client.query('update program set name = $3 where account_id = $1 and id = $2', where);
    return { counts: { renamed: 1 }, totals: {} };
  };
  const name = async () => {
    const where = [world.accountId, world.programId];
    const found = await db.session(({ client }) =>
      client.query('select name from program where account_id = $1 and id = $2', where),
    );
    return found.rows[0].name as string;
  };
  const history = () => listRuns(db, world.accountId, { limit: 20, job: 'a-job' });
  return { world, account, context, run, rename, name, history };
}

/** Jobs without parameters, by their names. */
export function jobsOf(code: Record<string, (work: Work) => Promise<Outcome>>): Map<string, Job> {
  return new Map(Object.entries(code).map(([name, run]) => [name, defineJob({ name, summary: '', run })]));
}
