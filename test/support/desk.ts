import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type AccountConfig, checkConfig } from '../../src/config.ts';
import { applyChanges, planChanges } from '../../src/db/apply.ts';
import type { Db } from '../../src/db/connect.ts';
import { type Expected, type ImportOutcome, importFile, type Kind } from '../../src/imports/import.ts';
import type { Work } from '../../src/runs/work.ts';
import { emptyFolder } from './folder.ts';
import { testWork } from './work.ts';
import { today, World } from './world.ts';

/** What an account's payrun.json says, in its own words, and the rates of exchange beside it. */
export interface DeskSettings {
  program?: Record<string, unknown>;
  sources?: Record<string, unknown>[];
  /** The lines of rates.csv below its header. */
  rates?: string[];
}

export interface LandOptions {
  name?: string;
  source?: string;
  again?: boolean;
  dryRun?: boolean;
  plan?: string;
  expected?: Expected;
  mapping?: Record<string, string>;
  /** The moment of the import. */
  now?: Date;
}

/** A workspace with an account of its own, and what a person does there: drop files, import them, start nights. */
export interface Desk {
  world: World;
  workspace: string;
  work(options?: Parameters<typeof testWork>[1]): Work;
  /** Puts a file into the workspace and returns its path. */
  put(name: string, content: string | Buffer): Promise<string>;
  /** Imports `content` as a file, for real and in one transaction that ends with the audit. */
  land(kind: Kind, content: string | Buffer, options?: LandOptions): Promise<ImportOutcome>;
}

let files = 0;

/** A desk whose one programme is in USD and Berlin, gives 20 % and holds for 30 days, unless settings say otherwise. */
export async function openDesk(db: Db, settings: DeskSettings = {}): Promise<Desk> {
  const world = await World.create(db, { ref: 'main' });
  const workspace = await emptyFolder();
  const account = accountOf(world.accountRef, settings);
  await db.transaction(async (session) =>
    applyChanges(session, await planChanges(session, [account], today)),
  );
  if (settings.rates) {
    await writeFile(
      path.join(workspace, 'rates.csv'),
      `from,to,day,rate,source\n${settings.rates.join('\n')}\n`,
    );
  }
  const work: Desk['work'] = (options) => {
    const made = testWork(world, { workspace, ...options });
    made.context.config.accounts.push(account);
    return made;
  };
  const put: Desk['put'] = async (name, content) => {
    const file = path.join(workspace, name);
    await writeFile(file, content);
    return file;
  };
  return {
    world,
    workspace,
    work,
    put,
    async land(kind, content, { name = `file-${++files}`, dryRun = false, now, ...options } = {}) {
      const file = await put(name, content);
      return importFile(work({ dryRun, ...(now && { now }) }), { kind, file, ...options });
    },
  };
}

function accountOf(ref: string, { program, sources = [] }: DeskSettings): AccountConfig {
  const programs = [
    {
      ref: 'main',
      name: 'Acme Partners',
      currency: 'USD',
      timezone: 'Europe/Berlin',
      hold_days: 30,
      commission: { percent: '20' },
      ...program,
    },
  ];
  const read = checkConfig(
    JSON.stringify({
      accounts: [
        { ref, name: 'Acme Inc.', programs, sources: sources.map((one) => ({ program: 'main', ...one })) },
      ],
    }),
  );
  if ('faults' in read) throw new Error(JSON.stringify(read.faults));
  return read.config.accounts[0]!;
}
