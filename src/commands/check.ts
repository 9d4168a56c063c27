import path from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../config.ts';
import type { Db } from '../db/connect.ts';
import { existingPlace } from '../db/embedded-place.ts';
import { pendingMigrations } from '../db/migrate.ts';
import { listed, PayrunError } from '../errors.ts';
import { lookAtWaiting } from '../imports/import.ts';
import { createLog } from '../log.ts';
import { faultOf } from '../runs/fault.ts';
import { loadJobs, usableNames } from '../runs/jobs.ts';
import { unappliedChanges } from './applied.ts';
import { checkClock } from './check-clock.ts';
import { checkFolders } from './check-folders.ts';
import { checkNight } from './check-night.ts';
import { checkPayouts } from './check-payouts.ts';
import { type Finding, problemOf } from './finding.ts';
import { embeddedFolder, findAccounts, readConfig, withDatabase } from './open.ts';
import { type Paint, plural } from './render.ts';
import type { Answer, Shell } from './shell.ts';

/** Adds `payrun check`. */
export function register(program: Command, shell: Shell): void {
  program
    .command('check')
    .summary('check everything that a night needs; changes nothing')
    .description(
      'Check everything that a night needs: configuration, database, schema, folders, jobs. Changes nothing.',
    )
    .action(shell.does(() => check(shell)));
}

async function check(shell: Shell): Promise<Answer> {
  const config = readConfig(shell);
  const programs = config.accounts.flatMap((account) => account.programs).length;
  const sources = config.accounts.flatMap((account) => account.sources).length;
  const shape = [
    plural(config.accounts.length, 'account'),
    plural(programs, 'programme'),
    plural(sources, 'source'),
  ];
  const findings: Finding[] = [
    {
      check: 'config',
      status: 'ok',
      message: `${path.join(config.workspace, 'payrun.json')}: ${shape.join(', ')}`,
    },
    ...(await checkDatabase(shell, config)),
    ...(await checkFolders(config)),
    ...(await tried(shell, 'jobs', () => checkJobs(config))),
  ];
  const problems = findings.filter((finding) => finding.status === 'problem');
  const exitCode = problems.some((problem) => problem.exitCode === 2) ? 2 : problems.length > 0 ? 1 : 0;
  return {
    data: { workspace: config.workspace, problems: problems.length, findings },
    text: (paint) => describe(paint, findings),
    exitCode,
  };
}

/** What the work finds, or as a problem what it raises. */
async function tried(
  shell: Shell,
  check: Finding['check'],
  work: () => Promise<Finding[]>,
): Promise<Finding[]> {
  try {
    return await work();
  } catch (cause) {
    const fault = faultOf(cause, shell.signal);
    if (!(fault instanceof PayrunError) || fault.code === 'interrupted') throw fault;
    return [problemOf(check, fault)];
  }
}

async function checkDatabase(shell: Shell, config: Config): Promise<Finding[]> {
  return tried(shell, 'database', async () => {
    if (config.databaseUrl === undefined && !(await existingPlace(embeddedFolder(config)))) {
      const message = 'the embedded database does not exist yet; the first command that needs it creates it';
      return [{ check: 'database', status: 'note', message }];
    }
    return withDatabase(shell, config, async (db) => {
      const version = await db.session(({ client }) => client.query('show server_version'));
      const kind = config.databaseUrl === undefined ? 'the embedded server' : 'the server of DATABASE_URL';
      const message = `${kind} answers: PostgreSQL ${version.rows[0].server_version}`;
      return [
        { check: 'database', status: 'ok', message },
        ...(await tried(shell, 'schema', () => checkSchema(shell, config, db))),
      ];
    });
  });
}

async function checkSchema(shell: Shell, config: Config, db: Db): Promise<Finding[]> {
  const pending = await pendingMigrations(db);
  if (pending.length > 0) {
    const message = `lacks ${plural(pending.length, 'migration')}: ${listed(pending.map(({ name }) => name))}`;
    if (config.databaseUrl === undefined) {
      return [{ check: 'schema', status: 'note', message: `${message}; the next command applies them` }];
    }
    const todo = 'Run "payrun db migrate".';
    return [{ check: 'schema', status: 'problem', message, todo, exitCode: 2 }];
  }
  return [
    { check: 'schema', status: 'ok', message: 'is the one of this Payrun' },
    ...(await tried(shell, 'applied', () => checkApplied(shell, config, db))),
    ...(await tried(shell, 'clock', () => checkClock(config, db, shell.clock))),
    ...(await tried(shell, 'payouts', () => checkPayouts(config, db))),
    ...(await tried(shell, 'night', () => checkNight(config, db))),
  ];
}

async function checkApplied(shell: Shell, config: Config, db: Db): Promise<Finding[]> {
  const changes = await unappliedChanges({ config, db, clock: shell.clock });
  if (changes.length === 0) {
    return [
      { check: 'applied', status: 'ok', message: 'the database agrees with payrun.json' },
      ...(await tried(shell, 'inbox', () => checkWaiting(shell, config, db))),
    ];
  }
  const message = `the database differs from payrun.json: ${plural(changes.length, 'change')}`;
  const todo = 'Run "payrun apply --dry-run" to see them, and "payrun apply" to make them.';
  return [{ check: 'applied', status: 'problem', message, todo, exitCode: 2 }];
}

/** What is odd in the files of sales that the next night imports. */
async function checkWaiting(shell: Shell, config: Config, db: Db): Promise<Finding[]> {
  const log = createLog({ format: 'json', level: 'warn', write: () => {} });
  const context = { config, db, clock: shell.clock, log, signal: shell.signal };
  const accounts = await findAccounts(shell, context);
  const said = await Promise.all(accounts.map((account) => lookAtWaiting({ context, account })));
  return said.flat().map((message): Finding => ({ check: 'inbox', status: 'note', message }));
}

async function checkJobs(config: Config): Promise<Finding[]> {
  const warnings: string[] = [];
  const log = createLog({
    format: 'json',
    level: 'warn',
    write: (line) => warnings.push(JSON.parse(line).msg),
  });
  const faults: PayrunError[] = [];
  const jobs = await loadJobs(config.workspace, log, (fault) => void faults.push(fault));
  const usable = usableNames(jobs);
  const unknown = Object.keys(config.jobs).filter((name) => !jobs.has(name));
  return [
    { check: 'jobs', status: 'ok', message: `${usable.length} can be loaded: ${listed(usable)}` },
    ...faults.map((fault) => problemOf('jobs', fault)),
    ...warnings.map((message): Finding => ({ check: 'jobs', status: 'note', message })),
    ...unknown.map((name): Finding => {
      const message = `payrun.json schedules "${name}", but there is no such job`;
      const todo = `Correct the name, or write jobs/${name}.mts in the workspace.`;
      return { check: 'jobs', status: 'problem', message, todo, exitCode: 2 };
    }),
  ];
}

function describe(paint: Paint, findings: Finding[]): string {
  const colours = { ok: paint.good, note: paint.warn, problem: paint.bad };
  const lines = findings.map(({ check, status, message, todo }) => {
    const line = `${colours[status](status.padEnd(7))}  ${check.padEnd(8)}  ${message}`;
    return todo === undefined ? line : `${line}\n${' '.repeat(19)}to do: ${todo}`;
  });
  const count = findings.filter((finding) => finding.status === 'problem').length;
  const sum = count === 0 ? paint.good('No problems.') : paint.bad(`${plural(count, 'problem')}.`);
  return [...lines, '', sum].join('\n');
}
