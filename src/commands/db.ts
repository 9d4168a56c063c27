import { spawn } from 'node:child_process';
import path from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../config.ts';
import { keepEmbedded, stopEmbedded } from '../db/embedded.ts';
import { migrate, pendingMigrations } from '../db/migrate.ts';
import { PayrunError } from '../errors.ts';
import { embeddedFolder, readConfig, withDatabase, withServer } from './open.ts';
import { dryRunFlag, dryRunHelp } from './options.ts';
import { plural } from './render.ts';
import type { Answer, Shell } from './shell.ts';

/** Adds `payrun db start`, `stop`, `psql` and `migrate`. */
export function register(program: Command, shell: Shell): void {
  const db = program
    .command('db')
    .summary('the database: start, stop, psql, migrate')
    .description('The database of the workspace: the embedded server, or that of DATABASE_URL.');
  db.command('start')
    .description(
      'Start the embedded server and leave it running. Commands start it by themselves where it is not.',
    )
    .action(shell.does(() => start(shell)));
  db.command('stop')
    .description('Stop the embedded server.')
    .option('--force', 'also while others use it; what they have not finished is undone')
    .action(shell.does((options: { force?: boolean }) => stop(shell, options.force ?? false)));
  db.command('psql')
    .description("Open the database in this machine's psql.")
    .argument('[arguments...]', 'for psql, behind --: payrun db psql -- -c "select 1"')
    .action(shell.does((args: string[]) => psql(shell, args)));
  db.command('migrate')
    .description('Bring the schema to the newest version.')
    .option(dryRunFlag, dryRunHelp)
    .action(shell.does((options: { dryRun?: boolean }) => migrateSchema(shell, options.dryRun ?? false)));
}

async function start(shell: Shell): Promise<Answer> {
  const config = readConfig(shell);
  refuseOwnServer(config);
  const server = await keepEmbedded(embeddedFolder(config), {
    signal: shell.signal,
    onFirstStart: () => shell.say('Creating the database of this workspace…'),
  });
  const { port, pid, alreadyRunning } = server;
  return {
    data: { running: true, port, pid, already_running: alreadyRunning },
    text: (paint) =>
      `${paint.good(alreadyRunning ? 'It runs already' : 'Started')}: PostgreSQL on 127.0.0.1, port ${port}, process ${pid}. ` +
      'It runs until "payrun db stop".',
  };
}

async function stop(shell: Shell, force: boolean): Promise<Answer> {
  const config = readConfig(shell);
  refuseOwnServer(config);
  const stopped = await stopEmbedded(embeddedFolder(config), { force });
  return {
    data: { running: false, stopped },
    text: (paint) => (stopped ? paint.good('Stopped.') : 'It was not running.'),
  };
}

async function migrateSchema(shell: Shell, dryRun: boolean): Promise<Answer> {
  const config = readConfig(shell);
  const migrations = await withDatabase(shell, config, (db) =>
    dryRun ? pendingMigrations(db) : migrate(db, shell.clock()),
  );
  const names = migrations.map((migration) => migration.name);
  const sum = `${plural(names.length, 'migration')} ${dryRun ? 'missing' : 'applied'}`;
  return {
    data: { dry_run: dryRun, migrations: names },
    text: (paint) =>
      names.length === 0
        ? 'The schema is the newest.'
        : [...names.map((name) => `  ${name}`), paint.good(`${sum}.`)].join('\n'),
  };
}

/** The password goes to psql through its environment, where other users do not see it. */
async function psql(shell: Shell, args: string[]): Promise<Answer> {
  const config = readConfig(shell);
  // Ctrl-C is for psql, which ends the statement and not the session.
  shell.onStop(() => true);
  const exitCode = await withServer(shell, config, async (address) => {
    const url = new URL(await address());
    const env = { ...shell.env, PGPASSWORD: decodeURIComponent(url.password) || shell.env.PGPASSWORD };
    url.password = '';
    const child = spawn('psql', ['-d', url.href, ...args], { stdio: 'inherit', env });
    return new Promise<number>((resolve, reject) => {
      child.once('exit', (code) => resolve(code ?? 1));
      child.once('error', (cause: NodeJS.ErrnoException) =>
        reject(cause.code === 'ENOENT' ? noPsql(config, url) : cause),
      );
    });
  });
  return { data: { exit_code: exitCode }, text: () => '', exitCode: exitCode === 0 ? 0 : 1 };
}

function noPsql(config: Config, url: URL): PayrunError {
  const embedded = config.databaseUrl === undefined;
  const file = path.join(embeddedFolder(config), 'data', 'password');
  return new PayrunError('usage', 'This machine has no psql.', {
    todo:
      'Install it (Debian: postgresql-client; macOS: libpq), or use any other Postgres client: ' +
      (embedded
        ? `"payrun db start" keeps the server up; then connect to ${url.href}, with the password in ${file}.`
        : 'connect it to DATABASE_URL.'),
  });
}

function refuseOwnServer(config: Config): void {
  if (config.databaseUrl === undefined) return;
  throw new PayrunError(
    'usage',
    'This workspace uses the server of DATABASE_URL, which Payrun does not start or stop.',
    {
      todo: 'Unset DATABASE_URL to use the embedded server.',
    },
  );
}
