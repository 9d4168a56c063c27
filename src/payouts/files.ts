import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder, renameToNew, syncFolder, writeNew } from '../disk.ts';
import { PayrunError } from '../errors.ts';
import { abandonedFiles, temporaryName } from '../runs/leftovers.ts';
import type { Work } from '../runs/work.ts';
import { folderFault } from '../system-fault.ts';

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

/** Whose files these are: the batch, the run that writes them, and the rights that they get. */
export interface OutboxOwner {
  batch: string;
  runId: string;
  fileMode: number;
}

/**
 * Lends a place for the files of one batch: `work` writes them under temporary names in `folder` and then gives them
 * their own. Temporary files are gone afterwards, those that a killed export of the same batch left as well; so the
 * caller makes sure that nobody else exports that batch meanwhile. Raises `no-permission`, `disk-full`
 * and the like.
 */
export async function withOutbox<T>(
  folder: string,
  owner: OutboxOwner,
  work: (outbox: Outbox) => Promise<T>,
): Promise<T> {
  try {
    await makeFolder(folder, owner.fileMode);
    await sweep(folder, owner.batch);
    try {
      return await work(new Outbox(folder, owner));
    } finally {
      await sweep(folder, owner.batch);
    }
  } catch (cause) {
    throw folderFault(cause, { name: 'outbox/', folder });
  }
}

export class Outbox {
  readonly #folder: string;
  readonly #owner: OutboxOwner;

  constructor(folder: string, owner: OutboxOwner) {
    this.#folder = folder;
    this.#owner = owner;
  }

  /** Writes one file, in UTF-8, and waits until it is safe on disk. */
  async write(pieces: AsyncIterable<string> | Iterable<string>): Promise<WaitingFile> {
    const { batch, runId, fileMode } = this.#owner;
    // Random, so that an export that lost its lock without noticing can't place what its successor is writing.
    const temporary = path.join(this.#folder, temporaryName(runId, `${batch}.`));
    const hash = createHash('sha256');
    await writeNew(temporary, fileMode, async (file) => {
      for await (const piece of pieces) {
        const bytes = Buffer.from(piece);
        hash.update(bytes);
        await file.writeFile(bytes);
      }
    });
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
      if (now.written) now.written = await this.#name(temporary, name, sha256);
    }
    await syncFolder(this.#folder);
    return placed;
  }

  /** False when the same file has appeared in between. */
  async #name(temporary: string, name: string, sha256: string): Promise<boolean> {
    if (await renameToNew(temporary, path.join(this.#folder, name))) return true;
    await this.#stands(name, sha256);
    return false;
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

/**
 * The names in `folder`, the outbox, that start with `prefix`, sorted; none where there is no such folder. Raises
 * `no-permission` and the like.
 */
export async function filesStartingWith(folder: string, prefix: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => name.startsWith(prefix)).sort();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw folderFault(cause, { name: 'outbox/', folder });
  }
}

/** Takes away what killed exports have left in `folder`, the outbox, also of batches that are never exported again. */
export async function sweepOutbox(context: Work['context'], folder: string): Promise<void> {
  for (const name of await abandonedFiles(context, folder))
    await rm(path.join(folder, name), { force: true });
}

async function sweep(folder: string, batch: string): Promise<void> {
  const left = await filesStartingWith(folder, `.${batch}.`);
  for (const name of left) if (name.endsWith('.part')) await rm(path.join(folder, name), { force: true });
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
