import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect, type Db } from '../../src/db/connect.ts';
import { joinEmbedded } from '../../src/db/embedded.ts';
import { configuration } from './configuration.ts';
import { writeAffiliates } from './files.ts';
import { measure, payrun } from './measure.ts';

/** What every measurement stands on: one server, a workspace, and databases that all start equal. */
export interface Ground {
  /** A temporary folder for files. */
  folder: string;
  workspace: string;
  /** Version of the server, such as `18.4`. */
  postgres: string;
  /** Creates a database with schema, configuration and affiliates, and returns its address. */
  create(name: string): Promise<string>;
  drop(name: string): Promise<void>;
  /** Writes everything down, so that no measurement pays for what went before. */
  checkpoint(): Promise<void>;
}

const template = 'bench_template';

/** Lends the ground to `work`; nothing is left of it afterwards. */
export async function withGround<T>(signal: AbortSignal, work: (ground: Ground) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'payrun-bench-'));
  try {
    const server = await joinEmbedded(path.join(folder, 'postgres'), { signal });
    try {
      const admin = await connect(server.url, { connections: 1 });
      try {
        const ground = await groundOf(folder, server.url, admin);
        await wearIn(admin);
        await prepare(ground, databaseUrl(server.url, template), signal);
        return await work(ground);
      } finally {
        await admin.close();
      }
    } finally {
      await server.release();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function groundOf(folder: string, serverUrl: string, admin: Db): Promise<Ground> {
  const run = (statement: string) => admin.session(({ client }) => client.query(statement));
  const version = await run('show server_version');
  await run(`create database ${template}`);
  // The server's own vacuum would begin in the middle of this measurement or that, and take a processor from it.
  await run('alter system set autovacuum = off');
  await run('select pg_reload_conf()');
  return {
    folder,
    workspace: path.join(folder, 'workspace'),
    postgres: version.rows[0].server_version,
    async create(name) {
      await run(`create database ${name} template ${template}`);
      return databaseUrl(serverUrl, name);
    },
    async drop(name) {
      await run(`drop database ${name} with (force)`);
    },
    async checkpoint() {
      await run('checkpoint');
    },
  };
}

/**
 * Writes a gigabyte of the server's log, which a new server puts into new files and any other into those it has:
 * whoever is measured first would pay for them.
 */
async function wearIn(admin: Db): Promise<void> {
  await admin.session(async ({ client }) => {
    await client.query(
      'create table wear as select n, repeat(md5(n::text), 31) as filling from generate_series(1, 1000000) n',
    );
    await client.query('drop table wear');
    await client.query('checkpoint');
  });
}

async function prepare({ folder, workspace }: Ground, url: string, signal: AbortSignal): Promise<void> {
  await mkdir(workspace);
  await writeFile(path.join(workspace, 'payrun.json'), JSON.stringify(configuration));
  const affiliates = path.join(folder, 'affiliates.csv');
  await writeAffiliates(affiliates);
  for (const args of [['db', 'migrate'], ['apply'], ['import', 'affiliates', affiliates]]) {
    await measure(payrun(workspace, url, ...args), folder, signal);
  }
  // The server does this by itself within a minute, but not for copies of a database.
  const db = await connect(url, { connections: 1 });
  await db.session(({ client }) => client.query('analyze'));
  await db.close();
}

function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}
