import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Readable, Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { PayrunError } from '../errors.ts';

/** A file to import, that can be read more than once. */
export interface InputFile {
  /** The name to show and store, without folders; `stdin` for standard input. */
  name: string;
  /** The path as it was given, for messages. */
  shown: string;
  /** SHA-256 of the bytes as they were given, in hex. */
  sha256: string;
  bytes: number;
  /** Its text as UTF-8 bytes, unpacked when it is gzip; `onBytes` is told how many bytes of the file were read. */
  read(onBytes?: (bytes: number) => void): Readable;
}

/**
 * Lends the file at `given` (`-` is standard input, which is kept in a temporary file meanwhile) to `work`.
 * Raises `file-unreadable`; the stream raises `file-refused` for bytes that are no UTF-8 or a broken gzip.
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
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash, { signal });
  const read = (onBytes?: (bytes: number) => void) => {
    // Small pieces: between them the answers of the database are seen, which waits for the next statement.
    const raw = createReadStream(file, { highWaterMark: 1 << 14 });
    if (onBytes) raw.on('data', (chunk) => onBytes(chunk.length));
    const checked = new Utf8Check(shown);
    const flowing = packed ? pipeline(raw, unzip(shown), checked) : pipeline(raw, checked);
    flowing.catch(() => {});
    return checked;
  };
  return { name, shown, sha256: hash.digest('hex'), bytes, read };
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

/** Passes bytes on as long as they are UTF-8, and refuses the file at the first that are not. */
class Utf8Check extends Transform {
  #shown: string;
  #rest: Buffer = Buffer.alloc(0);
  #lines = 1;

  constructor(shown: string) {
    super();
    this.#shown = shown;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    const end = lastWhole(bytes);
    const whole = bytes.subarray(0, end);
    this.#rest = bytes.subarray(end);
    if (!isUtf8(whole) || whole.includes(0)) {
      done(this.#refusal(whole));
      return;
    }
    for (let at = whole.indexOf(10); at !== -1; at = whole.indexOf(10, at + 1)) this.#lines += 1;
    done(null, whole);
  }

  override _flush(done: TransformCallback): void {
    done(this.#rest.length > 0 ? this.#refusal(this.#rest) : null);
  }

  #refusal(bytes: Buffer): PayrunError {
    let start = 0;
    let line = this.#lines;
    for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) {
      const piece = bytes.subarray(start, at);
      if (!isUtf8(piece) || piece.includes(0)) break;
      start = at + 1;
      line += 1;
    }
    return new PayrunError('file-refused', 'The file is not UTF-8 text.', {
      place: { file: this.#shown, line },
      todo: 'Save it as "CSV UTF-8" (Excel) or with encoding UTF-8, and import it again; nothing of it was recorded.',
    });
  }
}

/** Where the last character that is whole ends: a character cut by the chunk's border waits for the next chunk. */
function lastWhole(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(4, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) return bytes.length;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length > back ? bytes.length - back : bytes.length;
    }
  }
  return bytes.length;
}
