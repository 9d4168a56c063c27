import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, mkdir, open, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { PayrunError } from '../errors.ts';

/** A file that is written and safe on disk, but under a name that nobody looks at yet. */
export interface WaitingFile {
  temporary: string;
  sha256: string;
}

export interface PlacedFile {
  name: string;
  sha256: string;
  /** False when the file stood there before, with the same bytes. */
  written: boolean;
}

const suffix = '.tmp';

/** What a disk may answer; a lost connection to the database comes through here as well, under other codes. */
const diskFaults = new Set(
  'EACCES EEXIST EPERM ENOSPC EROFS EDQUOT EMFILE ENFILE ENOTDIR EISDIR EIO EFBIG ENOTSUP EXDEV'.split(' '),
);

/**
 * Lends a place for the files of one batch: `work` writes them under temporary names in `folder` and then gives them
 * their own. Temporary files are gone afterwards, those that a killed export of the same `batch` left as well; so the
 * caller makes sure that nobody else exports that batch meanwhile. Raises `file-unreadable` where the disk refuses.
 */
export async function withOutbox<T>(
  folder: string,
  batch: string,
  work: (outbox: Outbox) => Promise<T>,
): Promise<T> {
  try {
    await mkdir(folder, { recursive: true });
    await sweep(folder, batch);
    try {
      return await work(new Outbox(folder, batch));
    } finally {
      await sweep(folder, batch);
    }
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    if (!diskFaults.has(code)) throw cause;
    throw new PayrunError('file-unreadable', `The outbox can't be written (${code}).`, {
      place: { file: folder },
      todo: 'Check the permissions of the folder and the space on its disk, then start the command again.',
      cause,
    });
  }
}

export class Outbox {
  readonly #folder: string;
  readonly #prefix: string;
  #count = 0;

  constructor(folder: string, batch: string) {
    this.#folder = folder;
    // Random, so that an export that lost its lock without noticing can't place what its successor is writing.
    this.#prefix = `${temporaryPrefix(batch)}${randomBytes(6).toString('hex')}.`;
  }

  /** Writes one file, in UTF-8, and waits until it is safe on disk. */
  async write(pieces: AsyncIterable<string> | Iterable<string>): Promise<WaitingFile> {
    this.#count += 1;
    const temporary = path.join(this.#folder, `${this.#prefix}${this.#count}${suffix}`);
    const hash = createHash('sha256');
    const file = await open(temporary, 'wx');
    try {
      for await (const piece of pieces) {
        const bytes = Buffer.from(piece);
        hash.update(bytes);
        await file.writeFile(bytes);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    return { temporary, sha256: hash.digest('hex') };
  }

  /**
   * Gives the files their names, none of them if a name is taken by other bytes; a dry run only looks. Nothing is
   * ever overwritten. Raises `file-exists`.
   */
  async place(
    files: (WaitingFile & { name: string })[],
    { dryRun }: { dryRun: boolean },
  ): Promise<PlacedFile[]> {
    const placed: PlacedFile[] = [];
    for (const { name, sha256 } of files)
      placed.push({ name, sha256, written: !(await this.#stands(name, sha256)) });
    if (dryRun) return placed;
    for (const [index, { name, temporary, sha256 }] of files.entries()) {
      const now = placed[index]!;
      if (now.written) now.written = await this.#link(temporary, name, sha256);
    }
    await syncFolder(this.#folder);
    return placed;
  }

  /** False when the same file has appeared in between. */
  async #link(temporary: string, name: string, sha256: string): Promise<boolean> {
    try {
      await link(temporary, path.join(this.#folder, name));
      return true;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
      await this.#stands(name, sha256);
      return false;
    }
  }

  async #stands(name: string, sha256: string): Promise<boolean> {
    const file = path.join(this.#folder, name);
    const found = await hashOf(file);
    if (found === undefined || found === sha256) return found !== undefined;
    throw new PayrunError(
      'file-exists',
      'A file of this name stands in the outbox already, with other contents.',
      {
        place: { file },
        found: `sha256 ${found}, where Payrun would write ${sha256}`,
        todo: 'Find out who changed it and whether it was uploaded; then move it away and export again.',
      },
    );
  }
}

/** The names in `folder` that start with `prefix`, sorted; none where there is no such folder. */
export async function filesStartingWith(folder: string, prefix: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => name.startsWith(prefix)).sort();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw cause;
  }
}

async function sweep(folder: string, batch: string): Promise<void> {
  const left = await filesStartingWith(folder, temporaryPrefix(batch));
  for (const name of left) if (name.endsWith(suffix)) await rm(path.join(folder, name), { force: true });
}

function temporaryPrefix(batch: string): string {
  return `.${batch}.`;
}

async function hashOf(file: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    for await (const bytes of createReadStream(file)) hash.update(bytes);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cause;
  }
  return hash.digest('hex');
}

/** Makes the new names as durable as the files; Windows has no way to ask for that, and no need of it. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
