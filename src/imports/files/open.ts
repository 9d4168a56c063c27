import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Encoding } from '../../config-source.ts';
import { PayrunError } from '../../errors.ts';
import { type Limits, usualLimits } from '../../limits.ts';
import { lookInside, unzipped } from './archive.ts';
import { EncodingScan, type FoundEncoding, ToUtf8 } from './encoding.ts';
import { eachPiece } from './file-pieces.ts';
import { firstLook } from './first-look.ts';
import { tooManyBytes } from './limits.ts';
import { gunzipped } from './unpacking.ts';
import type { Workbook } from './workbook-parts.ts';

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
  limits: Limits;
  /** The workbook that the file is, which has rows instead of text; undefined for text. */
  workbook: Workbook | undefined;
  /** Whether it is UTF-8 whose last character is cut off, and so the file. */
  endsInCharacter: boolean;
  /** Whether its text begins as JSON does. */
  isJson: boolean;
  /**
   * Its text as UTF-8 bytes, unpacked when it is packed; `onBytes` is told how many bytes of the file were read. Raises
   * `file-refused` for a workbook.
   */
  read(onBytes?: (bytes: number) => void): Readable;
  /** The same file in the encoding that its source states, if it does (a byte order mark knows better), and of a workbook the sheet. */
  as(stated: Encoding | undefined, sheet?: string | number): InputFile;
}

/**
 * Lends the file at `given` (`-` is standard input, which is kept in a temporary file meanwhile) to `work`. What the
 * file is, is told by its bytes, whatever its name: text, gzip, a zip with one file, or a workbook.
 * Raises `file-unreadable`; `file-refused` for a file that is none of these, is damaged or has more than `limits`
 * allow and, from the stream, for bytes that mean nothing in its encoding.
 */
export async function withInputFile<T>(
  given: string,
  signal: AbortSignal,
  work: (file: InputFile) => Promise<T>,
  limits: Limits = usualLimits,
): Promise<T> {
  const looking = { signal, limits };
  if (given !== '-')
    return work(await describeFile({ path: given, shown: given, name: path.basename(given), ...looking }));
  const folder = await mkdtemp(path.join(tmpdir(), 'payrun-stdin-'));
  try {
    const spooled = path.join(folder, 'stdin');
    let bytes = 0;
    async function* counted(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      for await (const piece of input) {
        bytes += piece.length;
        if (bytes > limits.file_bytes) throw tooManyBytes({ shown: 'stdin', limits });
        yield piece;
      }
    }
    await pipeline(process.stdin, counted, createWriteStream(spooled, { mode: 0o600 }), { signal });
    return await work(await describeFile({ path: spooled, shown: 'stdin', name: 'stdin', ...looking }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Looking {
  path: string;
  shown: string;
  name: string;
  signal: AbortSignal;
  limits: Limits;
}

async function describeFile(looking: Looking): Promise<InputFile> {
  const { path: file, shown, name, signal, limits } = looking;
  const { bytes, start } = await firstLook(file, shown);
  if (bytes > limits.file_bytes) throw tooManyBytes({ shown, limits });
  const hash = createHash('sha256');
  const scan = new EncodingScan();
  const form = await formOf(looking, bytes, start);
  const isPlain = 'unpacked' in form && !form.isPacked;
  await eachPiece(file, signal, (piece) => {
    hash.update(piece);
    if (isPlain) scan.add(piece);
  });
  const described = { name, shown, sha256: hash.digest('hex'), bytes, limits };
  if ('workbook' in form) return workbookFile(described, form.workbook);
  const scanned = async (text: AsyncIterable<Buffer>) => {
    for await (const chunk of text) scan.add(chunk);
  };
  if (!isPlain) await pipeline(form.unpacked(textPiece), scanned, { signal });
  const found = scan.found(shown, form.isPacked);
  const inEncoding = (encoding: FoundEncoding): InputFile => ({
    ...described,
    encoding,
    workbook: undefined,
    endsInCharacter: scan.endsInCharacter && encoding.encoding === 'utf-8',
    isJson: scan.beginsAsJson(encoding.encoding),
    read(onBytes) {
      const text = new ToUtf8(shown, encoding, scan.endsInCharacter);
      pipeline(form.unpacked(textPiece, onBytes), text).catch(() => {});
      return text;
    },
    as: (stated) =>
      inEncoding(stated === undefined || found.by === 'mark' ? found : { encoding: stated, by: 'setting' }),
  });
  return inEncoding(found);
}

/**
 * In bytes. Small enough, since only between pieces the answers of the database are seen, which waits for the next
 * statement; and a read of a file costs nearly the same, however little it reads. From 128 KB on the engine would keep
 * the text of a piece in the old part of its heap, and clear that up all the time.
 */
const textPiece = 96 << 10;

type Described = Pick<InputFile, 'name' | 'shown' | 'sha256' | 'bytes' | 'limits'>;

function workbookFile(described: Described, workbook: Workbook): InputFile {
  return {
    ...described,
    encoding: { encoding: 'utf-8', by: 'bytes' },
    workbook,
    endsInCharacter: false,
    isJson: false,
    read() {
      throw new PayrunError(
        'file-refused',
        'This is an Excel workbook, not a log with one JSON object a line.',
        {
          place: { file: described.shown },
          todo: 'Import a table of sales with "payrun import sales"; a log of events is a text file.',
        },
      );
    },
    as: (_, sheet) => workbookFile(described, { ...workbook, sheet }),
  };
}

/** How the bytes of a file become text: in pieces of about `size`, telling how many bytes of the file were read. */
interface TextForm {
  isPacked: boolean;
  unpacked(size: number, onBytes?: (bytes: number) => void): Readable;
}

/** How zip files begin: as usual, when empty, and when split. */
const zipStarts = ['504b0304', '504b0506', '504b0708'];

async function formOf(
  { path: file, shown, limits }: Looking,
  bytes: number,
  start: Buffer,
): Promise<TextForm | { workbook: Workbook }> {
  const raw: TextForm['unpacked'] = (size, onBytes) => {
    const stream = createReadStream(file, { highWaterMark: size });
    if (onBytes) stream.on('data', (chunk) => onBytes(chunk.length));
    return stream;
  };
  if (start[0] === 0x1f && start[1] === 0x8b)
    return { isPacked: true, unpacked: (size, onBytes) => gunzipped(raw(size, onBytes), shown, limits) };
  if (!zipStarts.includes(start.toString('hex'))) return { isPacked: false, unpacked: raw };
  const inside = await lookInside(file, shown);
  if (inside.kind === 'workbook')
    return { workbook: { path: file, shown, bytes, parts: inside.parts, limits, sheet: undefined } };
  const entry = inside.file;
  async function* told(onBytes?: (bytes: number) => void): AsyncGenerator<Buffer> {
    const share = bytes / Math.max(1, entry.uncompressedSize);
    for await (const piece of unzipped(file, shown, entry, limits)) {
      onBytes?.(piece.length * share);
      yield piece;
    }
  }
  return {
    isPacked: true,
    unpacked: (_, onBytes) => Readable.from(told(onBytes), { objectMode: false }),
  };
}
