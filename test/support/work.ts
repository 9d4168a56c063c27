import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Config } from '../../src/config.ts';
import type { Db } from '../../src/db/connect.ts';
import { assertBalanced } from '../../src/ledger/audit.ts';
import { createLog } from '../../src/log.ts';
import { addOutcomes } from '../../src/runs/outcome.ts';
import type { Work } from '../../src/runs/work.ts';
import { today, type World } from './world.ts';

/** The work of a run in `world`: real transactions that end with the audit, only without lease, fence and history. */
export function testWork(
  world: World,
  options: {
    workspace?: string;
    asOf?: Date;
    now?: Date;
    dryRun?: boolean;
    runId?: string;
    db?: Db;
    signal?: AbortSignal;
    fileMode?: number;
  } = {},
): Work {
  const { dryRun = false, db = world.db } = options;
  const config: Config = {
    workspace: options.workspace ?? path.join(tmpdir(), 'payrun-no-workspace'),
    accounts: [],
    jobs: {},
    file_mode: options.fileMode ?? 0o600,
    databaseUrl: undefined,
    logFormat: 'text',
  };
  const transaction: Work['transaction'] = (work) =>
    db.transaction(
      async (session) => {
        const mover = {
          accountId: world.accountId,
          runId: options.runId ?? world.runId,
          now: options.now ?? today,
        };
        const outcome = await work(session, mover);
        await assertBalanced(session, world.accountId);
        return outcome;
      },
      { rollback: dryRun },
    );
  return {
    context: {
      config,
      db,
      clock: () => options.now ?? today,
      log: createLog({ level: 'silent' }),
      signal: options.signal ?? new AbortController().signal,
    },
    account: { id: world.accountId, ref: world.accountRef },
    runId: options.runId ?? world.runId,
    job: 'test',
    asOf: options.asOf ?? today,
    dryRun,
    transaction,
    transactions: async (parts) =>
      (await Promise.all(parts.map(transaction))).reduce((a, b) => addOutcomes(a, b)),
    afterwards: (tidy) => tidy(),
    step: () => Promise.reject(new Error('This work has no steps.')),
  };
}

/** The files of a workspace's outbox by name, hidden ones as well; empty where there is none. */
export async function outboxOf(workspace: string): Promise<Record<string, string>> {
  const folder = path.join(workspace, 'outbox');
  const names = await readdir(folder).catch(() => []);
  const files = names.sort().map(async (name) => [name, await readFile(path.join(folder, name), 'utf8')]);
  return Object.fromEntries(await Promise.all(files));
}
