import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import {
  chmod,
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  readlink,
  realpath,
  rename,
  rm,
  symlink,
  unlink,
} from 'node:fs/promises';
import path from 'node:path';

const pieceBytes = 1 << 20;

/** The bits that a folder gets beside files of `fileMode`: whoever may read them may enter it. */
export function folderMode(fileMode: number): number {
  return fileMode | ((fileMode & 0o444) >> 2);
}

/** Makes a folder, and those above it that are missing, for files of `fileMode`; whether it is new. */
export async function makeFolder(folder: string, fileMode: number): Promise<boolean> {
  const mode = folderMode(fileMode);
  const first = await mkdir(folder, { recursive: true, mode });
  if (first === undefined) return false;
  for (let made = path.resolve(folder); ; made = path.dirname(made)) {
    // The umask may have taken bits away; a group that the folder hands on to what is in it stays.
    const handle = await open(made);
    try {
      await handle.chmod(mode | ((await handle.stat()).mode & 0o7000));
    } finally {
      await handle.close();
    }
    if (made === path.resolve(first)) return true;
  }
}

/**
 * Writes a new file with exactly the rights of `fileMode` and waits until it is safe on disk. `write` may use the handle,
 * but not close it. Raises EEXIST where something of that name stands; what was begun is removed when `write` raises.
 */
export async function writeNew(
  file: string,
  fileMode: number,
  write: (handle: FileHandle) => Promise<unknown>,
): Promise<void> {
  const handle = await open(file, 'wx', fileMode);
  try {
    await handle.chmod(fileMode);
    await write(handle);
    await handle.sync();
  } catch (cause) {
    await rm(file, { force: true }).catch(() => {});
    throw cause;
  } finally {
    await handle.close();
  }
}

/** Makes the names in a folder as durable as its files; Windows has no way to ask for that, and no need of it. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes `text` in the place of a file, with its rights: whoever reads it meanwhile sees the old one or the new one. */
export async function replaceFile(file: string, text: string): Promise<void> {
  const target = await realpath(file);
  const { mode } = await lstat(target);
  const part = path.join(
    path.dirname(target),
    `.${path.basename(target)}.${randomBytes(6).toString('hex')}.part`,
  );
  await writeNew(part, mode & 0o777, (handle) => handle.writeFile(text));
  try {
    await rename(part, target);
  } catch (cause) {
    await rm(part, { force: true });
    throw cause;
  }
  await syncFolder(path.dirname(target));
}

/**
 * Gives the file at `from` the name `to` on the same file system, and takes the old one away. False, and nothing is
 * done, where something has that name: nothing is ever overwritten, also not what appears at the last moment.
 */
export async function renameToNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EMLINK') throw cause;
    return renameOverOwn(from, to);
  }
  await removeOld(from, to);
  return true;
}

/** Where the old name may not go, the new one does: else each attempt would leave one more copy. */
async function removeOld(from: string, to: string): Promise<void> {
  try {
    await unlink(from);
  } catch (cause) {
    await rm(to, { force: true });
    throw cause;
  }
}

/** Without hard links (some file systems, files of other users): an empty file of ours holds the name meanwhile. */
async function renameOverOwn(from: string, to: string): Promise<boolean> {
  try {
    await (await open(to, 'wx', 0o600)).close();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw cause;
  }
  try {
    await rename(from, to);
  } catch (cause) {
    await rm(to, { force: true });
    throw cause;
  }
  return true;
}

/**
 * The same also to another file system: there the file is copied to `temporary`, which lies beside `to`, and goes from
 * the old place once the copy is safe. Files get the rights of `fileMode` where they are ours; links are moved as they are.
 */
export async function moveToNew(
  from: string,
  to: string,
  { temporary, fileMode }: { temporary: string; fileMode: number },
): Promise<boolean> {
  try {
    if (!(await renameToNew(from, to))) return false;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EXDEV') throw cause;
    return copyToNew(from, to, { temporary, fileMode });
  }
  await giveMode(to, fileMode);
  await syncFolder(path.dirname(to));
  return true;
}

async function copyToNew(
  from: string,
  to: string,
  { temporary, fileMode }: { temporary: string; fileMode: number },
): Promise<boolean> {
  if ((await lstat(from)).isSymbolicLink()) {
    if (!(await made(symlink(await readlink(from), to)))) return false;
  } else {
    await writeNew(temporary, fileMode, (copy) => copyInto(copy, from));
    try {
      if (!(await renameToNew(temporary, to))) return false;
    } finally {
      await rm(temporary, { force: true });
    }
  }
  await syncFolder(path.dirname(to));
  await removeOld(from, to);
  return true;
}

async function copyInto(copy: FileHandle, from: string): Promise<void> {
  const original = await open(from, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const { atime, mtime } = await original.stat();
    const piece = Buffer.allocUnsafe(pieceBytes);
    for (let read = await original.read(piece); read.bytesRead > 0; read = await original.read(piece))
      await copy.writeFile(piece.subarray(0, read.bytesRead));
    await copy.utimes(atime, mtime);
  } finally {
    await original.close();
  }
}

/** False where something of that name stands already. */
function made(making: Promise<void>): Promise<boolean> {
  return making.then(
    () => true,
    (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EEXIST') return false;
      throw cause;
    },
  );
}

/** A file of somebody else keeps its rights, which only its owner can change; the folder keeps others out. */
async function giveMode(file: string, fileMode: number): Promise<void> {
  if (!(await lstat(file)).isFile()) return;
  await chmod(file, fileMode).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EPERM') throw cause;
  });
}
