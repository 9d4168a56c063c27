import { open, rename, stat } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { type ErrorDetail, PayrunError } from '../errors.ts';
import type { Place } from './embedded-place.ts';

const logLimit = 10 * 1024 * 1024;

/** How long to wait for a server that recovers from a crash, or for what is left of a killed one. */
const patience = 60_000;

/** The size of the server log in bytes: where the lines of what is started next begin. */
export async function logEnd(place: Place): Promise<number> {
  return stat(place.log).then(
    ({ size }) => size,
    () => 0,
  );
}

/** Puts a server log of more than 10 MB aside as `server.log.1`, in place of the one before. */
export async function rotateLog(place: Place): Promise<void> {
  if ((await logEnd(place)) > logLimit) await rename(place.log, `${place.log}.1`).catch(() => {});
}

/** The lines of the server log from byte `start` on, or of its last 64 KB. */
export async function logLines(place: Place, start = 0): Promise<string[]> {
  const end = await logEnd(place);
  const from = Math.max(start, end - 65_536);
  if (end <= from) return [];
  const file = await open(place.log);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(end - from), 0, end - from, from);
    return buffer.toString('utf8', 0, bytesRead).split('\n').filter(Boolean);
  } finally {
    await file.close();
  }
}

/**
 * The error to raise when the embedded server fails: names the server log, and shows the last fatal line that was
 * written to it after byte `start`, or else what the system said.
 */
export async function embeddedFault(
  place: Place,
  what: string,
  detail: ErrorDetail & { start?: number } = {},
): Promise<PayrunError> {
  const { start, ...rest } = detail;
  const lines = await logLines(place, start).catch(() => []);
  const fatal = lines.findLast((line) => /FATAL:|PANIC:|\berror\b/.test(line));
  const found = (start === undefined ? undefined : fatal) ?? messageOf(detail.cause) ?? fatal;
  return new PayrunError('database-embedded', what, {
    place: { file: place.log },
    ...(found === undefined ? {} : { found }),
    ...rest,
  });
}

function messageOf(cause: unknown): string | undefined {
  return cause instanceof Error ? cause.message : undefined;
}

/** A pause to take between two looks at the server, which raises `database-embedded` when that has gone on too long. */
export async function deadline(place: Place): Promise<(cause: Error | undefined) => Promise<void>> {
  const start = await logEnd(place);
  const end = performance.now() + patience;
  return async (cause) => {
    if (performance.now() > end)
      throw await embeddedFault(place, 'The embedded database does not answer after a minute of waiting.', {
        start,
        cause,
      });
    await pause(50);
  };
}

/** Whatever fails on the way to the server is told as `database-embedded`, with the server log's path. */
export async function explained<T>(place: Place, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof PayrunError) throw cause;
    const denied = /^(EACCES|EPERM)$/.test(String((cause as { code?: unknown }).code));
    const todo = `Start payrun as the user who owns ${place.folder}, or set DATABASE_URL to a server of your own.`;
    throw await embeddedFault(place, 'The embedded database cannot be used.', {
      cause,
      ...(denied ? { todo } : {}),
    });
  }
}
