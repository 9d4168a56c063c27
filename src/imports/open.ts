import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { Encoding } from '../config-schema.ts';
import { PayrunError } from '../errors.ts';
import { EncodingScan, type FoundEncoding, ToUtf8 } from './encoding.ts';

/** A file to import, that can be read more than once. */
export interface InputFile {
  /** The name to show and store, without folders; `stdin` for standard input. */
  name: string;
  /** The path as it was given, for messages. */
  shown: string;
  /** SHA-256 of the bytes as they were given, in hex. */
  sha256: string;
  bytes: number;
  encoding: FoundEncoding;
  /** Its text as UTF-8 bytes, unpacked when it is gzip; `onBytes` is told how many bytes of the file were read. */
  read(onBytes?: (bytes: number) => void): Readable;
  /** The same file in the encoding that its source states, if it does; a byte order mark knows better. */
  as(stated: Encoding | undefined): InputFile;
}

/**
 * Lends the file at `given` (`-` is standard input, which is kept in a temporary file meanwhile) to `work`.
 * Raises `file-unreadable`; `file-refused` for a file that is no text, a broken gzip and, from the stream, for bytes that mean nothing in its encoding.
 */
export async function withInputFile<T>(
  given: string,
  signal: AbortSignal,
  work: (file: InputFile) => Promise<T>,
): Promise<T> {
  if (given !== '-') return work(await describeFile(given, given, path.basename(given), signal));
  const folder = await mkdtemp(path.join(tmpdir(), 'payrun-stdin-'));
  try {
    const spooled = path.join(folder, 'stdin');
    await pipeline(process.stdin, createWriteStream(spooled, { mode: 0o600 }), { signal });
    return await work(await describeFile(spooled, 'stdin', 'stdin', signal));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function describeFile(
  file: string,
  shown: string,
  name: string,
  signal: AbortSignal,
): Promise<InputFile> {
  const { bytes, packed } = await firstLook(file, shown);
  const hash = createHash('sha256');
  const whole = createReadStream(file, { highWaterMark: 1 << 20, signal });
  whole.on('data', (chunk) => hash.update(chunk));
  const scan = new EncodingScan();
  const scanned = async (text: AsyncIterable<Buffer>) => {
    for await (const chunk of text) scan.add(chunk);
  };
  await (packed ? pipeline(whole, unzip(shown), scanned) : pipeline(whole, scanned));
  const sha256 = hash.digest('hex');
  const found = scan.found(shown);
  const inEncoding = (encoding: FoundEncoding): InputFile => ({
    name,
    shown,
    sha256,
    bytes,
    encoding,
    read(onBytes) {
      // Small pieces: between them the answers of the database are seen, which waits for the next statement.
      const raw = createReadStream(file, { highWaterMark: 1 << 14 });
      if (onBytes) raw.on('data', (chunk) => onBytes(chunk.length));
      const text = new ToUtf8(shown, encoding);
      const flowing = packed ? pipeline(raw, unzip(shown), text) : pipeline(raw, text);
      flowing.catch(() => {});
      return text;
    },
    as: (stated) =>
      inEncoding(stated === undefined || found.by === 'mark' ? found : { encoding: stated, by: 'setting' }),
  });
  return inEncoding(found);
}

function unzip(shown: string): Transform {
  const gunzip = createGunzip();
  const destroy = gunzip._destroy.bind(gunzip);
  gunzip._destroy = (cause, done) =>
    destroy(cause, () =>
      done(
        cause && /^Z_/.test((cause as NodeJS.ErrnoException).code ?? '')
          ? new PayrunError('file-refused', 'The gzip file is damaged or cut off.', {
              place: { file: shown },
              cause,
            })
          : cause,
      ),
    );
  return gunzip;
}

const reasons: Record<string, string> = {
  ENOENT: 'There is no such file.',
  EACCES: 'The file may not be read by this user.',
  EISDIR: 'This is a folder; name the files in it.',
};

async function firstLook(file: string, shown: string): Promise<{ bytes: number; packed: boolean }> {
  try {
    const handle = await open(file);
    try {
      const stat = await handle.stat();
      if (stat.isDirectory()) throw Object.assign(new Error('a folder'), { code: 'EISDIR' });
      const start = Buffer.alloc(2);
      await handle.read(start, 0, 2, 0);
      return { bytes: stat.size, packed: start[0] === 0x1f && start[1] === 0x8b };
    } finally {
      await handle.close();
    }
  } catch (cause) {
    const reason = reasons[(cause as NodeJS.ErrnoException).code ?? ''] ?? 'The file cannot be read.';
    throw new PayrunError('file-unreadable', reason, { place: { file: shown }, cause });
  }
}
