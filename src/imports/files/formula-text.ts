const quote = 0x22;
const equals = 0x3d;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** Where in a record the next byte stands. */
type Place = 'start' | 'equals' | 'cell' | 'quoted' | 'quote';

/**
 * Takes the sign off cells that are written `="00123"`, by which people keep a spreadsheet from making numbers of them,
 * so that what is left is an ordinary quoted cell. It follows the bytes from the start of a record, piece by piece.
 */
export class FormulaText {
  readonly #delimiter: number;
  #place: Place = 'start';

  constructor(delimiter: string) {
    this.#delimiter = Buffer.from(delimiter).at(-1)!;
  }

  /** The bytes without such signs; a sign at the very end waits for the next piece. */
  take(bytes: Buffer): Buffer {
    const taken = Buffer.allocUnsafe(bytes.length + 1);
    let length = 0;
    for (const byte of bytes) {
      if (this.#place === 'equals' && byte !== quote) taken[length++] = equals;
      this.#place = this.#next(byte);
      if (this.#place !== 'equals') taken[length++] = byte;
    }
    return taken.subarray(0, length);
  }

  /** What was held back, once no piece follows. */
  rest(): Buffer {
    return this.#place === 'equals' ? Buffer.from([equals]) : Buffer.alloc(0);
  }

  #next(byte: number): Place {
    const place = this.#place;
    if (place === 'quoted') return byte === quote ? 'quote' : 'quoted';
    if (byte === quote) return place === 'cell' ? 'cell' : 'quoted';
    if (byte === this.#delimiter || byte === lineFeed || byte === carriageReturn) return 'start';
    return place === 'start' && byte === equals ? 'equals' : 'cell';
  }
}
