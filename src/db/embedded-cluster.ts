import { randomBytes } from 'node:crypto';
import { chown, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { syncFolder } from '../disk.ts';
import type { Binaries } from './embedded-binaries.ts';
import { embeddedFault, logEnd } from './embedded-log.ts';
import { exists, type Place } from './embedded-place.ts';
import { isAlive, type Launcher, launchLogged } from './embedded-process.ts';

/** The one superuser, who owns everything in the cluster. */
export const superuser = 'payrun';

/** The one database that is worked in. */
export const databaseName = 'payrun';

export interface ClusterOptions {
  signal?: AbortSignal | undefined;
  /** Called before the cluster is made, which takes a second or more. */
  onFirstStart?: (() => void) | undefined;
  /** Nothing is flushed to disk: for tests. */
  unsafe: boolean;
}

/**
 * Makes the cluster where there is none. It is made aside and renamed into place, password and all, so that it is
 * there whole or not at all; of two processes that make one, the slower throws its own away.
 * Raises `database-embedded` when initdb fails; returns early, without a cluster, when the signal aborts.
 */
export async function ensureCluster(
  place: Place,
  binaries: Binaries,
  launcher: Launcher,
  options: ClusterOptions,
): Promise<void> {
  if (await exists(path.join(place.data, 'PG_VERSION'))) return;
  await sweepKilledAttempts(place);
  options.onFirstStart?.();
  const attempt = `${place.data}.${process.pid}.${randomBytes(6).toString('hex')}`;
  const password = `${attempt}.password`;
  try {
    await writeFile(password, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
    if (launcher.user) await chown(password, launcher.user.uid, launcher.user.gid);
    await initialise(place, binaries, launcher, attempt, password, options);
    if (options.signal?.aborted) return;
    await rename(password, path.join(attempt, path.basename(place.password)));
    await moveIntoPlace(attempt, place);
  } finally {
    await discard(attempt);
    await discard(password);
  }
}

async function initialise(
  place: Place,
  binaries: Binaries,
  launcher: Launcher,
  attempt: string,
  password: string,
  options: ClusterOptions,
): Promise<void> {
  const args = [
    ...['-D', attempt, '-U', superuser, '--pwfile', password, '--auth=scram-sha-256', '--no-instructions'],
    ...['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
    ...(options.unsafe ? ['--no-sync'] : []),
  ];
  const start = await logEnd(place);
  const initdb = await launchLogged(launcher, binaries.initdb, args, place);
  const stop = () => void initdb.child.kill('SIGTERM');
  options.signal?.addEventListener('abort', stop, { once: true });
  if (options.signal?.aborted) stop();
  const { ok, cause } = await initdb.end;
  options.signal?.removeEventListener('abort', stop);
  if (ok || options.signal?.aborted) return;
  throw await embeddedFault(place, 'The embedded database could not be created.', { start, cause });
}

async function moveIntoPlace(attempt: string, place: Place): Promise<void> {
  try {
    await rename(attempt, place.data);
  } catch (cause) {
    if (await exists(path.join(place.data, 'PG_VERSION'))) return;
    throw await embeddedFault(place, 'The folder for the embedded database holds something else.', {
      place: { file: place.data },
      todo: 'Move that folder out of the way and start the command again.',
      cause,
    });
  }
  // Not every file system can flush a folder; those that cannot write renames down by themselves.
  await syncFolder(place.folder).catch(() => {});
}

/** Removes what attempts left behind that were killed; one of an hour ago is dead even if its pid is in use again. */
async function sweepKilledAttempts(place: Place): Promise<void> {
  for (const name of await readdir(place.folder)) {
    const pid = /^data\.(\d+)\.[0-9a-f]+(\.password)?$/.exec(name)?.[1];
    if (pid === undefined) continue;
    const file = path.join(place.folder, name);
    const age = Date.now() - ((await stat(file).catch(() => undefined))?.mtimeMs ?? Date.now());
    if (!isAlive(Number(pid)) || age > 3_600_000) await discard(file);
  }
}

async function discard(file: string): Promise<void> {
  // An initdb whose parent was killed may still be writing; the next sweep takes the rest.
  await rm(file, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
}
