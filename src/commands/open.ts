import path from 'node:path';
import { type Config, loadConfig } from '../config.ts';
import type { Context } from '../context.ts';
import { type Address, connect, type Db } from '../db/connect.ts';
import { joinEmbedded } from '../db/embedded.ts';
import { migrate, pendingMigrations } from '../db/migrate.ts';
import { listed, PayrunError } from '../errors.ts';
import { createLog } from '../log.ts';
import { zoneOfAccount } from './options.ts';
import type { Shell } from './shell.ts';

/** An account of payrun.json that the database has. */
export interface Account {
  id: number;
  ref: string;
}

/** The configuration of the workspace that --workspace names, or that the current folder lies in. Raises its faults. */
export function readConfig(shell: Shell): Config {
  return loadConfig({ folder: shell.globals().workspace, from: shell.cwd, env: shell.env });
}

/** The folder of the workspace's embedded server. */
export function embeddedFolder(config: Config): string {
  return path.join(config.workspace, '.payrun', 'postgres');
}

/**
 * Lends the address of the workspace's server: DATABASE_URL, or the embedded one, which is joined and left again, and
 * started again where it dies meanwhile. `signal` interrupts that; the shell's unless given.
 */
export async function withServer<T>(
  shell: Shell,
  config: Config,
  work: (address: Address) => Promise<T>,
  signal: AbortSignal = shell.signal,
): Promise<T> {
  if (config.databaseUrl !== undefined) {
    const url = checkedUrl(config.databaseUrl);
    return work(async () => url);
  }
  const server = await joinEmbedded(embeddedFolder(config), {
    signal,
    onFirstStart: () => shell.say('Creating the database of this workspace…'),
  });
  try {
    return await work(server.address);
  } finally {
    await server.release();
  }
}

/** Lends a connection to the workspace's database as it is, whatever its schema. */
export async function withDatabase<T>(
  shell: Shell,
  config: Config,
  work: (db: Db) => Promise<T>,
  { signal = shell.signal, connections }: { signal?: AbortSignal; connections?: number } = {},
): Promise<T> {
  const connected = async (address: Address) => {
    const db = await connect(address, { signal, ...(connections && { connections }) });
    try {
      return await work(db);
    } finally {
      await db.close();
    }
  };
  return withServer(shell, config, connected, signal);
}

/**
 * Lends everything that work in the workspace needs. The embedded database is brought to the newest schema first;
 * a server of one's own must have it (`database-schema`). `signal` interrupts the work; the shell's unless given.
 * A person at a terminal is told by the answer, so the lines of a run are logged elsewhere only, or `alwaysLog`.
 */
export async function withWorkspace<T>(
  shell: Shell,
  work: (context: Context<Db>) => Promise<T>,
  {
    signal = shell.signal,
    alwaysLog = false,
    connections,
  }: { signal?: AbortSignal; alwaysLog?: boolean; connections?: number } = {},
): Promise<T> {
  const config = readConfig(shell);
  const level = shell.isInteractive && !alwaysLog ? 'warn' : 'info';
  const log = createLog({ format: config.logFormat, level });
  return withDatabase(
    shell,
    config,
    async (db) => {
      await bringUpToDate(shell, config, db);
      return work({ config, db, clock: shell.clock, log, signal });
    },
    { signal, ...(connections && { connections }) },
  );
}

/** The same for one account: the one that --account names, or the only one of payrun.json. */
export async function withAccount<T>(
  shell: Shell,
  work: (context: Context<Db>, account: Account) => Promise<T>,
): Promise<T> {
  return withWorkspace(shell, async (context) => {
    const refs = context.config.accounts.map((account) => account.ref);
    if (shell.globals().account === undefined && refs.length > 1) {
      throw new PayrunError('usage', 'This workspace has several accounts.', {
        todo: `Say for which of them with --account: ${listed(refs)}.`,
      });
    }
    const [account] = await findAccounts(shell, context);
    shell.tellTimesIn(zoneOfAccount(context.config, account!.ref));
    return work(context, account!);
  });
}

/**
 * The accounts of payrun.json as the database has them, or only the one that --account names. Raises `usage` for an
 * unknown name, and `config-not-applied`.
 */
export async function findAccounts(shell: Shell, { config, db }: Context<Db>): Promise<Account[]> {
  const known = config.accounts.map((account) => account.ref);
  const chosen = shell.globals().account;
  if (chosen !== undefined && !known.includes(chosen)) {
    throw new PayrunError('usage', 'payrun.json has no account of this name.', {
      found: chosen,
      todo: `The accounts are: ${listed(known)}.`,
    });
  }
  const wanted = chosen === undefined ? known : [chosen];
  const rows = await db.sql
    .selectFrom('account')
    .select(['account_id as id', 'ref'])
    .where('ref', 'in', wanted)
    .execute();
  return wanted.map((ref) => {
    const account = rows.find((row) => row.ref === ref);
    if (account) return account;
    throw new PayrunError('config-not-applied', 'The database does not have this account yet.', {
      found: ref,
    });
  });
}

async function bringUpToDate(shell: Shell, config: Config, db: Db): Promise<void> {
  const pending = await pendingMigrations(db);
  if (pending.length === 0) return;
  if (config.databaseUrl === undefined) return void (await migrate(db, shell.clock()));
  throw new PayrunError('database-schema', 'The schema of the database is not the one of this Payrun.', {
    found: `missing: ${listed(pending.map((migration) => migration.name))}`,
  });
}

/** The address is never shown, because it may hold a password. */
function checkedUrl(url: string): string {
  const isUrl = /^postgres(ql)?:\/\//.test(url) && URL.canParse(url);
  if (isUrl) return url;
  throw new PayrunError('config-invalid', 'DATABASE_URL is no address of a Postgres server.', {
    todo: 'Write it as postgres://user:password@host:5432/database, with special characters percent-encoded; or unset it to use the embedded server.',
  });
}
