import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { PayrunError } from '../../errors.ts';

const reasons: Record<string, string> = {
  ENOENT: 'There is no such file.',
  EACCES: 'The file may not be read by this user.',
  EISDIR: 'This is a folder; name the files in it.',
};

/** The size of a file and its first bytes. Raises `file-unreadable` with why, also for what can't be read twice. */
export async function firstLook(file: string, shown: string): Promise<{ bytes: number; start: Buffer }> {
  try {
    const handle = await open(file, withoutWaiting);
    try {
      const stat = await handle.stat();
      if (stat.isDirectory()) throw Object.assign(new Error('a folder'), { code: 'EISDIR' });
      if (!stat.isFile()) throw notAFile(shown);
      const start = Buffer.alloc(4);
      await handle.read(start, 0, start.length, 0);
      return { bytes: stat.size, start };
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (cause instanceof PayrunError) throw cause;
    const reason = reasons[(cause as NodeJS.ErrnoException).code ?? ''] ?? 'The file cannot be read.';
    throw new PayrunError('file-unreadable', reason, { place: { file: shown }, cause });
  }
}

/** A named pipe would be opened when somebody writes to it, and until then nothing could end the process. */
const withoutWaiting = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

function notAFile(shown: string): PayrunError {
  return new PayrunError('file-unreadable', 'This is a pipe or a device; a file is read more than once.', {
    place: { file: shown },
    todo: 'Give "-" for the file and what it should hold on standard input, or put that into a file first.',
  });
}
