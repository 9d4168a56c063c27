import { mkdir, readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { PayrunError } from '../errors.ts';

/** Where one embedded server keeps everything; absolute paths without symbolic links. */
export interface Place {
  folder: string;
  /** The cluster, with the superuser's password in it, so that both appear and vanish together. */
  data: string;
  password: string;
  log: string;
  /** Names the run of the server that stays up after everyone has left. */
  keep: string;
}

/**
 * The place at `folder`, which is created, for its owner only, where it does not exist.
 * Raises `database-embedded` when it cannot be created.
 */
export async function openPlace(folder: string): Promise<Place> {
  const target = path.resolve(folder);
  try {
    await mkdir(path.dirname(target), { recursive: true });
    await mkdir(target, { mode: 0o700 }).catch(async (cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'EEXIST' || !(await stat(target)).isDirectory()) throw cause;
    });
    return placeAt(await realpath(target));
  } catch (cause) {
    throw notUsable(target, cause);
  }
}

/** The place at `folder` if there is a cluster in it; creates nothing. */
export async function existingPlace(folder: string): Promise<Place | undefined> {
  try {
    if (!(await exists(folder))) return undefined;
    const place = placeAt(await realpath(folder));
    return (await exists(place.data)) ? place : undefined;
  } catch (cause) {
    throw notUsable(path.resolve(folder), cause);
  }
}

function notUsable(file: string, cause: unknown): PayrunError {
  return new PayrunError('database-embedded', 'The folder for the embedded database cannot be used.', {
    place: { file },
    found: (cause as Error).message,
    todo: 'Check the permissions of that folder, or set DATABASE_URL to a server of your own.',
    cause,
  });
}

function placeAt(folder: string): Place {
  const data = path.join(folder, 'data');
  return {
    folder,
    data,
    password: path.join(data, 'password'),
    log: path.join(folder, 'server.log'),
    keep: path.join(folder, 'keep'),
  };
}

/** Whether there is anything at `file`. Raises what the system says when that cannot be found out. */
export async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return false;
      throw cause;
    },
  );
}

/** The superuser's password. */
export async function readPassword(place: Place): Promise<string> {
  return (await readFile(place.password, 'utf8')).trim();
}
