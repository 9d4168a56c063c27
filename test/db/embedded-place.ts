import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { afterEach, beforeEach, expect } from 'vitest';
import { stopEmbedded } from '../../src/db/embedded.ts';

export const settings = { fsync: 'off', shared_buffers: '16MB' };

export interface EmbeddedPlace {
  /** A new folder for each test, closed to everyone else. */
  base: string;
  /** Where the test's server goes; does not exist yet. */
  folder: string;
  /** Every folder whose server is stopped after the test, however the test ends. */
  folders: string[];
  /** Every process that is killed after the test. */
  children: ChildProcess[];
}

export function embeddedPlace(): EmbeddedPlace {
  const place: EmbeddedPlace = { base: '', folder: '', folders: [], children: [] };
  beforeEach(async () => {
    place.base = await mkdtemp(path.join(tmpdir(), 'payrun-embedded-'));
    place.folder = path.join(place.base, 'postgres');
    place.folders = [place.folder];
    place.children = [];
  });
  afterEach(async () => {
    for (const child of place.children) child.kill('SIGKILL');
    for (const each of place.folders) await stopEmbedded(each, { force: true });
    await rm(place.base, { recursive: true, force: true });
  });
  return place;
}

/** Another process that has joined; it leaves when its input ends. */
export async function member(
  place: EmbeddedPlace,
  uid?: number,
): Promise<{ url: string; child: ChildProcess; leave(): Promise<void> }> {
  const source = new URL('../../src/db/embedded.ts', import.meta.url).href;
  const program = `
    import { joinEmbedded } from ${JSON.stringify(source)};
    const server = await joinEmbedded(${JSON.stringify(place.folder)}, { settings: ${JSON.stringify(settings)} });
    console.log(server.url);
    for await (const _ of process.stdin);
    await server.release();
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
    cwd: '/',
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  place.children.push(child);
  const exit = once(child, 'exit');
  const line = once(createInterface(child.stdout), 'line') as Promise<string[]>;
  const url = await Promise.race([line, exit.then(() => Promise.reject(new Error('The member has ended.')))]);
  const leave = async () => {
    child.stdin.end();
    expect(await exit).toEqual([0, null]);
  };
  return { url: String(url[0]), child, leave };
}

export async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client(url);
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

export async function postmasterPid(place: EmbeddedPlace): Promise<number> {
  return Number((await readFile(path.join(place.folder, 'data', 'postmaster.pid'), 'utf8')).split('\n')[0]);
}

/** What first starts have left behind in the folder. */
export async function remains(place: EmbeddedPlace): Promise<string[]> {
  return (await readdir(place.folder)).filter((name) => name.startsWith('data.'));
}

/** The postmaster first, so that it cannot tidy up after the others. */
export async function killEverything(place: EmbeddedPlace, url: string): Promise<void> {
  const sessions = (await query(url, 'select pid from pg_stat_activity where pid <> pg_backend_pid()')) as {
    pid: number;
  }[];
  process.kill(await postmasterPid(place), 'SIGKILL');
  for (const { pid } of sessions) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (cause) {
      // It saw the postmaster die, and ended by itself.
      if ((cause as NodeJS.ErrnoException).code !== 'ESRCH') throw cause;
    }
  }
  const answer = () => query(url, 'select 1').catch((cause: Error) => cause.message);
  await expect.poll(answer, { timeout: 30_000 }).toMatch(/ECONNREFUSED/);
}

export async function expectGone(place: EmbeddedPlace, url: string): Promise<void> {
  await expect(query(url, 'select 1')).rejects.toThrow(/ECONNREFUSED/);
  await expect(postmasterPid(place)).rejects.toThrow(/ENOENT/);
}
