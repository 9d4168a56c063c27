import { lstat, rm } from 'node:fs/promises';
import path from 'node:path';
import { makeFolder, moveToNew, writeNew } from '../disk.ts';
import { abandonedFiles, temporaryName } from '../runs/leftovers.ts';
import type { Work } from '../runs/work.ts';
import { folderFault } from '../system-fault.ts';

/**
 * Moves a file of the inbox to archive/<source>/ or rejects/<source>/, also where that is another file system, and
 * overwrites nothing: a second file of the same name gets a number. Returns the new path. Raises
 * `no-permission`, `disk-full` and the like, after which it is where it was, and ENOENT where somebody took it away.
 */
export async function putAway(
  work: Work,
  { file, source, where }: { file: string; source: string; where: 'archive' | 'rejects' },
): Promise<string> {
  const { workspace, file_mode: fileMode } = work.context.config;
  const folder = path.join(workspace, where, source);
  const { name, ext } = path.parse(file);
  const temporary = path.join(folder, temporaryName(work.runId));
  try {
    await makeFolder(folder, fileMode);
    for (let number = 1; ; number += 1) {
      const target = path.join(folder, number === 1 ? `${name}${ext}` : `${name}.${number}${ext}`);
      if (await stands(outcomeOf(target))) continue;
      if (await moveToNew(file, target, { temporary, fileMode })) return target;
    }
  } catch (cause) {
    const { code, path: at, syscall } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' && at === file) throw cause;
    if (syscall === 'unlink')
      throw folderFault(cause, { name: `inbox/${source}/`, folder: path.dirname(file) });
    throw folderFault(cause, { name: `${where}/${source}/`, folder });
  }
}

/** Writes what became of a file beside where it was put. Raises `disk-full` and the like. */
export async function writeOutcome(work: Work, moved: string, outcome: object): Promise<void> {
  const { workspace, file_mode: fileMode } = work.context.config;
  const text = `${JSON.stringify(outcome, null, 2)}\n`;
  const folder = path.dirname(moved);
  try {
    await writeNew(outcomeOf(moved), fileMode, (handle) => handle.writeFile(text));
  } catch (cause) {
    const name = `${path.relative(workspace, folder)}/`;
    throw folderFault(cause, { name, folder });
  }
}

/** Takes away what a killed run has left of a file that it was copying to archive/<source>/ or rejects/<source>/. */
export async function sweepCopies({ context }: Work, sources: readonly string[]): Promise<void> {
  for (const source of sources) {
    for (const where of ['archive', 'rejects']) {
      const folder = path.join(context.config.workspace, where, source);
      for (const name of await abandonedFiles(context, folder))
        await rm(path.join(folder, name), { force: true });
    }
  }
}

function outcomeOf(file: string): string {
  return `${file}.outcome.json`;
}

async function stands(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return false;
      throw cause;
    },
  );
}
