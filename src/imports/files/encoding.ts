import { isAscii, isUtf8 } from 'node:buffer';
import { Transform, type TransformCallback } from 'node:stream';
import iconv from 'iconv-lite';
import { type Encoding, encodings } from '../../config-source.ts';
import { PayrunError } from '../../errors.ts';
import { noTextFault, otherFileFault } from './other-files.ts';

/** How a file's text is encoded, and how that is known: by its byte order mark, its bytes, its source, or the odds. */
export interface FoundEncoding {
  encoding: Encoding;
  by: 'mark' | 'bytes' | 'setting' | 'guess';
}

const marks: [Encoding, number[]][] = [
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
];
const startLength = 4096;

/** Looks at all bytes of a file, piece by piece, to find its encoding. */
export class EncodingScan {
  #start: Buffer = Buffer.alloc(0);
  #rest: Buffer = Buffer.alloc(0);
  #isUtf8 = true;
  /** Whether a character of several bytes is in it. */
  #hasLetters = false;

  add(chunk: Buffer): void {
    if (this.#start.length < startLength)
      this.#start = Buffer.concat([this.#start, chunk.subarray(0, startLength - this.#start.length)]);
    if (!this.#isUtf8) return;
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    const end = lastWhole(bytes);
    this.#isUtf8 = isUtf8(bytes.subarray(0, end));
    this.#hasLetters ||= !isAscii(bytes.subarray(0, end));
    this.#rest = Buffer.from(bytes.subarray(end));
  }

  /**
   * A byte order mark says it; else every second byte NUL is UTF-16; else what is valid UTF-8 is that, and anything else
   * is most likely Windows-1252. Raises `file-refused` for a file that is no text; `shown` is its path for the message,
   * `isPacked` says that the bytes stood in an archive.
   */
  found(shown: string, isPacked = false): FoundEncoding {
    const start = this.#start;
    const fault = otherFileFault(start, shown, isPacked);
    if (fault) throw fault;
    const marked = marks.find(([, bytes]) => bytes.every((byte, at) => start[at] === byte));
    if (marked) return { encoding: marked[0], by: 'mark' };
    const [even, odd] = nulShares(start);
    if (odd > 0.4 && even < 0.1) return { encoding: 'utf-16le', by: 'bytes' };
    if (even > 0.4 && odd < 0.1) return { encoding: 'utf-16be', by: 'bytes' };
    if (even > 0.1 || odd > 0.1) throw noTextFault(shown);
    const isWhole = this.#rest.length === 0;
    if (this.#isUtf8 && (isWhole || this.#hasLetters)) return { encoding: 'utf-8', by: 'bytes' };
    return { encoding: 'windows-1252', by: 'guess' };
  }

  /** Whether the bytes are UTF-8, but the last character is cut off. */
  get endsInCharacter(): boolean {
    return this.#isUtf8 && this.#rest.length > 0;
  }

  /** Whether the text begins with a JSON object, or an array of objects or arrays. */
  beginsAsJson(encoding: Encoding): boolean {
    return /^\ufeff?\s*(\{\s*["}]|\[\s*[{[])/.test(iconv.decode(this.#start, encoding));
  }
}

/** Of the bytes at even and at odd places, how many are NUL, from 0 to 1. */
function nulShares(bytes: Buffer): [even: number, odd: number] {
  const nuls = [0, 0];
  for (const [at, byte] of bytes.entries()) if (byte === 0) nuls[at % 2]! += 1;
  const pairs = Math.max(1, bytes.length / 2);
  return [nuls[0]! / pairs, nuls[1]! / pairs];
}

/**
 * Turns bytes in `encoding` into UTF-8, and refuses the file at the first ones that mean nothing in it, with the
 * physical line.
 */
export class ToUtf8 extends Transform {
  readonly #shown: string;
  readonly #found: FoundEncoding;
  readonly #decoder;
  /** Whether all bytes were found to be UTF-8 when the file was looked at. */
  readonly #isProven: boolean;
  readonly #mayEndInCharacter: boolean;
  #rest: Buffer = Buffer.alloc(0);
  #lines = 1;
  #bytes = 0;

  /** `mayEndInCharacter` says that of UTF-8 a cut last character is left out, since others tell of it. */
  constructor(shown: string, found: FoundEncoding, mayEndInCharacter = false) {
    super();
    this.#mayEndInCharacter = mayEndInCharacter;
    this.#shown = shown;
    this.#found = found;
    this.#isProven = found.encoding === 'utf-8' && found.by === 'bytes';
    this.#decoder = found.encoding === 'utf-8' ? undefined : iconv.getDecoder(found.encoding);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#bytes += chunk.length;
    if (this.#decoder) {
      const text = this.#decoder.write(chunk);
      // Since 1998 the euro stands where the table of the library still has the sign for any currency.
      this.#passText(this.#found.encoding === 'macroman' ? text.replaceAll('¤', '€') : text, done);
      return;
    }
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    const end = lastWhole(bytes);
    this.#rest = bytes.subarray(end);
    this.#passBytes(bytes.subarray(0, end), done);
  }

  override _flush(done: TransformCallback): void {
    // The decoder says nothing of half a character at the end.
    const isCutOff = this.#found.encoding.startsWith('utf-16') && this.#bytes % 2 === 1;
    if (isCutOff) done(this.#refusal(0));
    else if (this.#decoder) this.#passText(this.#decoder.end() ?? '', done);
    else if (this.#rest.length === 0 || this.#mayEndInCharacter) done();
    else done(this.#isProven ? changed(this.#shown) : this.#refusal(0));
  }

  #passBytes(bytes: Buffer, done: TransformCallback): void {
    if (!isUtf8(bytes)) {
      if (this.#isProven) {
        done(changed(this.#shown));
        return;
      }
      const pieces = bytes.toString('latin1').split('\n');
      done(this.#refusal(pieces.findIndex((piece) => !isUtf8(Buffer.from(piece, 'latin1')))));
      return;
    }
    if (!this.#isProven)
      for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) this.#lines += 1;
    done(null, bytes);
  }

  #passText(text: string, done: TransformCallback): void {
    const broken = text.indexOf('\ufffd');
    if (broken !== -1 || !text.isWellFormed()) {
      done(this.#refusal(text.slice(0, Math.max(0, broken)).split('\n').length - 1));
      return;
    }
    this.#lines += text.split('\n').length - 1;
    done(null, Buffer.from(text));
  }

  #refusal(linesBefore: number): PayrunError {
    const { encoding } = this.#found;
    const what =
      encoding === 'utf-8'
        ? 'The file is not UTF-8 text.'
        : `The file has bytes that mean nothing in ${encodingNames[encoding]}.`;
    return new PayrunError('file-refused', what, {
      place: { file: this.#shown, line: this.#lines + linesBefore },
      todo: `Save it as UTF-8 ("CSV UTF-8" in Excel), or set encoding in its source to one of ${encodings.join(', ')}. Nothing of it was recorded.`,
    });
  }
}

/** What was UTF-8 when it was looked at is no longer. */
function changed(shown: string): PayrunError {
  return new PayrunError('file-refused', 'The file was changed while it was read.', {
    place: { file: shown },
    todo: 'Import it again when nobody writes to it. Nothing of it was recorded.',
  });
}

/** The warning for a file whose encoding was only likely. */
export function guessedEncoding({ encoding, by }: FoundEncoding): string[] {
  if (by !== 'guess') return [];
  return [
    `the file is not UTF-8 and was read as ${encodingNames[encoding]}; if names look wrong, set encoding in its source`,
  ];
}

/** The names by which people know them. */
const encodingNames: Record<Encoding, string> = {
  'utf-8': 'UTF-8',
  'utf-16le': 'UTF-16',
  'utf-16be': 'UTF-16',
  'windows-1252': 'Windows-1252',
  macroman: 'MacRoman',
};

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
