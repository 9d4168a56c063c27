import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { PayrunError } from '../../errors.ts';
import type { Limits } from '../../limits.ts';
import { showCount } from '../../money.ts';
import { overLimit } from './limits.ts';

/** Packed so small that a large expansion does no harm; an empty CSV of a few kilobytes may shrink a thousandfold. */
const harmless = 1 << 20;

/** What to do about a packed file that is damaged. */
export const fetchAgain = 'Export the file again, or fetch it again from where it came from.';

/** Watches what a packed file unpacks to, and refuses it as soon as that is more than the limits allow. */
export class Gauge {
  #unpacked = 0;
  readonly #shown: string;
  readonly #limits: Limits;
  readonly #packed: () => number;

  /** `packed` tells how many packed bytes were read for what was unpacked so far. */
  constructor(shown: string, limits: Limits, packed: () => number) {
    this.#shown = shown;
    this.#limits = limits;
    this.#packed = packed;
  }

  /** Counts bytes that came out. Raises `file-refused`. */
  add(bytes: number): void {
    this.#unpacked += bytes;
    this.check(this.#unpacked);
  }

  /** The same check for a size that is known beforehand. */
  check(unpacked: number): void {
    const { unpacked_bytes: most, expansion } = this.#limits;
    if (unpacked > most)
      throw overLimit(this.#shown, `It unpacks to more than ${showCount(most)} bytes.`, 'unpacked_bytes');
    if (unpacked > harmless && unpacked > expansion * this.#packed())
      throw overLimit(
        this.#shown,
        `It unpacks to more than ${showCount(expansion)} times its size.`,
        'expansion',
      );
  }
}

/** In the flags of a gzip file, where its fourth byte is; RFC 1952 reserves it, and old programs encrypt with it. */
const encryptedFlag = 0x20;

/** The fault of a packed file that is encrypted. */
export function lockedFault(shown: string): PayrunError {
  return new PayrunError('file-refused', 'The archive is locked with a password.', {
    place: { file: shown },
    todo: 'Unpack it, and import the file without one. Nothing of it was recorded.',
  });
}

/** The bytes that `packed` (gzip) unpacks to. Raises `file-refused` when it is damaged or has more than `limits` allow. */
export function gunzipped(packed: Readable, shown: string, limits: Limits): Readable {
  let read = 0;
  let isLocked = false;
  const gauge = new Gauge(shown, limits, () => read);
  async function* unpacked(): AsyncGenerator<Buffer> {
    const gunzip = createGunzip();
    packed.on('data', (piece: Buffer) => {
      if (read === 0) isLocked = (piece[3]! & encryptedFlag) !== 0;
      read += piece.length;
    });
    packed.on('error', (cause) => gunzip.destroy(cause));
    packed.pipe(gunzip);
    try {
      for await (const piece of gunzip as AsyncIterable<Buffer>) {
        gauge.add(piece.length);
        yield piece;
      }
    } catch (cause) {
      if (!/^Z_/.test((cause as NodeJS.ErrnoException).code ?? '')) throw cause;
      if (isLocked) throw lockedFault(shown);
      throw new PayrunError('file-refused', 'The gzip file is damaged or cut off.', {
        place: { file: shown },
        todo: `${fetchAgain} Nothing of it was recorded.`,
        cause,
      });
    } finally {
      packed.destroy();
    }
  }
  return Readable.from(unpacked(), { objectMode: false });
}
