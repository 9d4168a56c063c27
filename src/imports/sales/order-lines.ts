import { PayrunError } from '../../errors.ts';
import { type RowFault, spoiledRow } from '../faults.ts';
import type { CsvRecord } from '../files/records.ts';
import type { PresetReader } from '../presets/shape.ts';

/** A row of a known export: a record, with the further lines of its order. */
export interface Order {
  record: CsvRecord;
  further: CsvRecord[];
  /** What spoils one of its lines, and so the order: which products it has decides about its commission. */
  fault?: RowFault;
}

/** Spoiled records that may wait behind an order for a further line of it. */
const mostBehind = 1_000;

/**
 * Joins the lines of each order. A spoiled line belongs to an order where its cells say so, or where it stands between
 * two lines of it; further lines behind a spoiled record belong to that, whose own cells can't tell.
 */
export class OrderLines {
  readonly #header: string[];
  readonly #shown: string;
  readonly #lines: PresetReader['lines'];
  #open: Order | undefined;
  /** Spoiled records since the last line of the open order. */
  #behind: Order[] = [];

  /** `lines` of the reader, undefined where every record is a row by itself; `shown` is the file in messages. */
  constructor({ header, shown }: { header: string[]; shown: string }, lines: PresetReader['lines']) {
    this.#header = header;
    this.#shown = shown;
    this.#lines = lines;
  }

  /** The record whose further lines may still come. */
  get waiting(): CsvRecord[] {
    return this.#open ? [this.#open.record] : [];
  }

  /**
   * Takes the next record in, and returns the orders that are complete with it, in the order of the file. Raises
   * `file-refused` for a line apart from its order.
   */
  add(record: CsvRecord): Order[] {
    const fault = spoiledRow(record, this.#header);
    const order: Order = fault ? { record, further: [], fault } : { record, further: [] };
    if (!this.#lines) return [order];
    if (this.#open && this.#lines.continues(this.#open.record.cells, record.cells)) {
      for (const line of [...this.#behind, order]) join(this.#open, line);
      this.#behind = [];
      return [];
    }
    if (fault && this.#open) return this.#putBehind(order);
    const goesOnWith = fault ? '' : this.#lines.goesOnWith(record.cells);
    const last = this.#behind.at(-1) ?? this.#open;
    if (goesOnWith === '') return this.#begin(order);
    // It may be what decides about the order's commission.
    if (!last?.fault) throw this.#apart(record, goesOnWith);
    join(last, order);
    return [];
  }

  /** The orders that are complete with the end of the file. */
  end(): Order[] {
    return this.#begin(undefined);
  }

  #begin(order: Order | undefined): Order[] {
    const complete = this.#open ? [this.#open, ...this.#behind] : [];
    this.#open = order;
    this.#behind = [];
    return complete;
  }

  #putBehind(order: Order): Order[] {
    if (this.#behind.length >= mostBehind) return this.#begin(order);
    this.#behind.push(order);
    return [];
  }

  #apart({ line }: CsvRecord, found: string): PayrunError {
    return new PayrunError(
      'file-refused',
      'The line goes on with an order that does not stand right above it.',
      {
        place: { file: this.#shown, line },
        found,
        todo: 'Keep the lines of each order together as they were exported, or export the file again. Nothing of it was recorded.',
      },
    );
  }
}

function join(order: Order, { record, further, fault }: Order): void {
  order.further.push(record, ...further);
  if (fault) order.fault ??= { ...fault, line: record.line };
}
