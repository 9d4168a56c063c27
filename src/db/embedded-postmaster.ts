import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { link, readFile, readlink, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Place } from './embedded-place.ts';
import { isAlive } from './embedded-process.ts';

/** The server of a place as its pid file describes it. */
export interface Postmaster {
  pid: number;
  port: number;
  /** Differs from one run of the server to the next, also when a pid comes round again. */
  identity: string;
  /** It answers; before that, nobody can be using it. */
  ready: boolean;
}

/**
 * The server that runs on the place's cluster, or undefined. A pid file that was left behind by a killed server is
 * taken away: PostgreSQL itself believes it as soon as any process has that pid.
 */
export async function findPostmaster(place: Place): Promise<Postmaster | undefined> {
  const file = path.join(place.data, 'postmaster.pid');
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw cause;
  });
  if (text === undefined) return undefined;
  const lines = text.split('\n').map((line) => line.trim());
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  if (pid > 0 && port > 0) {
    if (await runsOn(pid, place.data))
      return { pid, port, identity: `${pid} ${lines[2]}`, ready: lines[7] === 'ready' };
  } else if (await isBeingWritten(file)) {
    await pause(20);
    return findPostmaster(place);
  }
  await takeAway(file, text);
  return findPostmaster(place);
}

/** An unfinished pid file is completed within moments, or was left by a crash in the middle of writing it. */
async function isBeingWritten(file: string): Promise<boolean> {
  const written = await stat(file).catch(() => undefined);
  return written !== undefined && Math.abs(Date.now() - written.mtimeMs) < 5_000;
}

/** A server may have started since the file was read, so what was taken away is looked at, and put back if new. */
async function takeAway(file: string, stale: string): Promise<void> {
  const aside = `${file}.${process.pid}.${randomBytes(6).toString('hex')}`;
  try {
    await rename(file, aside);
    if ((await readFile(aside, 'utf8')) !== stale) await link(aside, file);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'EEXIST') throw cause;
  } finally {
    await rm(aside, { force: true });
  }
}

/** Whether `pid` is a living server of the cluster `data`, and not another process that was given its number. */
async function runsOn(pid: number, data: string): Promise<boolean> {
  if (!isAlive(pid)) return false;
  if (process.platform !== 'linux') return runsOnElsewhere(pid, data);
  try {
    const state = await readFile(`/proc/${pid}/stat`, 'utf8');
    if (!/^\d+ \(postgres\) [^ZX]/.test(state)) return false;
    // The folder may have been moved since the server started, which its working directory follows.
    if ((await readlink(`/proc/${pid}/cwd`).catch(() => '')) === data) return true;
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0').includes(data);
  } catch {
    return isAlive(pid) && !(await isReadable('/proc/self/stat'));
  }
}

async function isReadable(file: string): Promise<boolean> {
  return readFile(file).then(
    () => true,
    () => false,
  );
}

/** Where nothing can be found out about the process it is taken for the server: starting a second is the worse mistake. */
async function runsOnElsewhere(pid: number, data: string): Promise<boolean> {
  try {
    const ps = await promisify(execFile)('ps', ['-ww', '-o', 'stat=', '-o', 'args=', '-p', String(pid)]);
    return !ps.stdout.startsWith('Z') && ps.stdout.includes('postgres') && ps.stdout.includes(data);
  } catch (cause) {
    const noSuchProcess = (cause as { code?: unknown }).code === 1;
    return !noSuchProcess && isAlive(pid);
  }
}
