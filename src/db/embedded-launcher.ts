import { chmod, chown, lchown, readdir, readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { PayrunError } from '../errors.ts';
import type { Binaries } from './embedded-binaries.ts';
import type { Place } from './embedded-place.ts';
import { type Launcher, launch, type ServerUser } from './embedded-process.ts';

/**
 * Settles who runs the server of `place` and makes the folder that user's own. Raises `database-embedded` when that
 * user cannot get to the folder or to the programs.
 */
export async function prepareLauncher(place: Place, binaries: Binaries): Promise<Launcher> {
  if (process.getuid?.() !== 0) {
    await chmod(place.folder, 0o700).catch(() => {});
    return { user: undefined, prefix: [] };
  }
  const user = await serverUser(place);
  await handOver(place, user);
  const closedPrograms = await closedFolder(path.dirname(binaries.postgres), user);
  const closed = closedPrograms ?? (await closedFolder(place.folder, user));
  if (closed === undefined) return { user, prefix: [] };
  const prefix = [
    ...['setpriv', '--reuid', String(user.uid), '--regid', String(user.gid), '--clear-groups'],
    // The programs look for each other by access(2), which counts that right only with this bit set.
    ...(closedPrograms === undefined ? [] : ['--securebits=+no_setuid_fixup']),
    ...['--inh-caps=+dac_override', '--ambient-caps=+dac_override'],
  ];
  const probe = launch({ user, prefix }, binaries.initdb, ['--show', '-D', place.data], 'ignore');
  if (!(await probe.end).ok) throw cannotReach(closed, user);
  return { user, prefix };
}

function cannotReach(folder: string, user: ServerUser): PayrunError {
  return new PayrunError(
    'database-embedded',
    `PostgreSQL does not run as root, and user ${user.name} cannot get into a folder on its way.`,
    {
      place: { file: folder },
      todo:
        `Allow others to pass that folder ("chmod o+x"), or install setpriv (package util-linux), ` +
        `or start payrun as an ordinary user, or set DATABASE_URL to a server of your own.`,
    },
  );
}

/** Who owns the cluster already; for a new one, or one copied by root, `postgres` if that user exists, else `nobody`. */
async function serverUser(place: Place): Promise<ServerUser> {
  const users = await readUsers();
  for (const file of [place.data, place.folder]) {
    const owner = await stat(file).catch(() => undefined);
    if (!owner || owner.uid === 0) continue;
    const name = users.find(({ uid }) => uid === owner.uid)?.name ?? `number ${owner.uid}`;
    return { name, uid: owner.uid, gid: owner.gid };
  }
  const user = users.find(({ name }) => name === 'postgres') ?? users.find(({ name }) => name === 'nobody');
  if (user) return user;
  throw new PayrunError(
    'database-embedded',
    'PostgreSQL does not run as root, and there is no user for it.',
    {
      todo: 'Add a user named postgres, or start payrun as an ordinary user.',
    },
  );
}

/** Ids below zero, as macOS writes them, stand for the highest ones. */
async function readUsers(): Promise<ServerUser[]> {
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').filter((line) => /^[^#:]+:/.test(line));
  return lines.map((line) => {
    const [name, , uid, gid] = line.split(':');
    return { name: name!, uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 };
  });
}

/** The cluster's own folder goes last, so that a hand-over that was killed is noticed and done again. */
async function handOver(place: Place, user: ServerUser): Promise<void> {
  const data = await stat(place.data).catch(() => undefined);
  if (data?.uid === 0) {
    for (const file of await readdir(place.data, { recursive: true }))
      await lchown(path.join(place.data, file), user.uid, user.gid);
    await chown(place.data, user.uid, user.gid);
  }
  await chown(place.folder, user.uid, user.gid);
  await chmod(place.folder, 0o700);
}

/** The first folder from the root down to `folder` that `user` may not pass. */
async function closedFolder(folder: string, user: ServerUser): Promise<string | undefined> {
  const real = await realpath(folder);
  const steps = real.split(path.sep);
  for (let depth = 1; depth <= steps.length; depth += 1) {
    const step = steps.slice(0, depth).join(path.sep) || path.sep;
    const { uid, gid, mode } = await stat(step);
    const needed = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & needed) === 0) return step;
  }
  return undefined;
}
