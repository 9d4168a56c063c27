import { PayrunError } from '../../errors.ts';
import { fold } from '../../ledger/stage.ts';
import type { Work } from '../../runs/work.ts';
import { type RowFault, spoiledRow } from '../faults.ts';
import type { CsvRecord } from '../files/records.ts';
import type { Noted } from '../noted.ts';
import type { PresetReader } from '../presets/shape.ts';
import type { Outcome } from '../rejects.ts';
import { affiliateName } from '../values/values.ts';
import { affiliatesNamed, type LookUp } from './hints.ts';
import type { UnderstoodFile } from './layout.ts';
import { columnIn, type Preset } from './preset.ts';

/** A row whose further lines may still come. */
interface Open {
  record: CsvRecord;
  /** Undefined for a row that is no sale. */
  made: string[] | undefined;
  products: Set<string>;
}

/** More hints than this are no repetition, and memory must not grow with them. */
const mostHints = 10_000;

/**
 * The rows of a known export; those whose time comes twice in its night go to `twice`. Raises `file-refused` where its
 * style has to be found out, for which the file is read once, and can't be; reading the rows raises it for a line apart
 * from its order.
 */
export async function openPreset(
  work: Pick<Work, 'context' | 'account'>,
  { file, csv, again, dateFormat }: UnderstoodFile,
  currency: string,
  preset: Preset,
  twice: Noted,
): Promise<PresetRows> {
  const reader = preset.reader({ column: columnIn(csv.header), currency, dateFormat });
  if (reader.survey) {
    const whole = await again();
    for await (const group of whole.groups) for (const { cells } of group) reader.survey.look(cells);
    const open = reader.survey.settle();
    if (open) {
      const place = { file: file.shown, line: csv.headerLine };
      throw new PayrunError('file-refused', open.what, { place, todo: open.todo });
    }
  }
  const lookUp = affiliatesNamed(work.context.db, work.account.id);
  return new PresetRows(preset, reader, { header: csv.header, shown: file.shown, twice }, lookUp);
}

/**
 * Makes rows of the records of a known export: joins the lines of one order, and puts the cells that the preset makes
 * behind those of the header. A spoiled record keeps its cells.
 */
export class PresetRows {
  /** Rows that are no sale. */
  noSales = 0;
  readonly #reader: PresetReader;
  readonly #header: string[];
  readonly #shown: string;
  readonly #twice: Noted;
  readonly #blank: string[];
  readonly #affiliateAt: number;
  readonly #productsAt: number;
  readonly #lookUp: LookUp;
  #hints = new Map<string, boolean>();
  #open: Open | undefined;
  /** The record that came last and begins a sale, or may, is spoiled. */
  #isSpoiled = false;
  #noSales = new Set<CsvRecord>();
  #faults = new Map<CsvRecord, RowFault>();

  constructor(
    { makes }: Preset,
    reader: PresetReader,
    { header, shown, twice }: { header: string[]; shown: string; twice: Noted },
    lookUp: LookUp,
  ) {
    this.#reader = reader;
    this.#header = header;
    this.#shown = shown;
    this.#twice = twice;
    this.#blank = makes.map(() => '');
    this.#lookUp = lookUp;
    this.#affiliateAt = makes.indexOf('affiliate');
    this.#productsAt = makes.indexOf('product_ids');
  }

  /** The rows of the records of `groups`, as soon as they are complete. */
  async *records(groups: AsyncIterable<CsvRecord[]>): AsyncGenerator<CsvRecord[]> {
    for await (const records of groups) {
      if (this.#reader.hints) await this.#learn(records);
      yield this.#rows(records);
    }
    yield this.#rows([], true);
  }

  /** Whether a row of the group that came last is a sale. */
  isSale(row: CsvRecord): boolean {
    return !this.#noSales.has(row);
  }

  /** What spoils a row of the group that came last: a cell that is missing or the like. */
  spoiled(row: CsvRecord): RowFault | undefined {
    return this.#faults.get(row);
  }

  /** The records that `found` names, each with the further lines of its order, in file order. */
  async *withFurtherLines(
    groups: AsyncIterable<CsvRecord[]>,
    found: AsyncGenerator<Outcome>,
  ): AsyncGenerator<{ record: CsvRecord; outcome: Outcome }> {
    let next = await found.next();
    let first: { cells: string[]; outcome: Outcome | undefined } | undefined;
    for await (const group of groups) {
      for (const record of group) {
        const isWhole = !spoiledRow(record, this.#header);
        const goesOn = isWhole && first && this.#reader.lines?.continues(first.cells, record.cells);
        const isNamed = !goesOn && !next.done && next.value.n === record.n;
        const outcome: Outcome | undefined = goesOn ? first?.outcome : isNamed ? next.value : undefined;
        if (outcome) yield { record, outcome };
        if (isNamed) next = await found.next();
        if (isWhole && !goesOn) first = { cells: record.cells, outcome };
      }
    }
  }

  #rows(records: CsvRecord[], isEnd = false): CsvRecord[] {
    const rows: CsvRecord[] = [];
    this.#noSales.clear();
    this.#faults.clear();
    for (const record of records) {
      const fault = spoiledRow(record, this.#header);
      if (fault) {
        this.#faults.set(record, fault);
        this.#isSpoiled = true;
        rows.push(record);
      } else if (this.#open && this.#reader.lines?.continues(this.#open.record.cells, record.cells)) {
        this.#open.products.add(this.#reader.lines.product(record.cells));
      } else {
        this.#close(rows);
        this.#assertBegins(record);
        this.#begin(record);
        if (!this.#reader.lines) this.#close(rows);
      }
    }
    if (isEnd) this.#close(rows);
    return rows;
  }

  /** A line that stands apart from its order may be what decides about the order's commission. */
  #assertBegins({ cells, line }: CsvRecord): void {
    const sale = this.#reader.lines?.goesOnWith(cells) ?? '';
    // Behind a spoiled record it may be that one's: its cells can't tell.
    if (sale !== '' && !this.#isSpoiled)
      throw new PayrunError(
        'file-refused',
        'The line goes on with an order that does not stand right above it.',
        {
          place: { file: this.#shown, line },
          found: sale,
          todo: 'Keep the lines of each order together as they were exported, or export the file again. Nothing of it was recorded.',
        },
      );
    if (sale === '') this.#isSpoiled = false;
  }

  #begin(record: CsvRecord): void {
    const { cells, line } = record;
    const made = this.#reader.read(cells, () => this.#twice.add(line));
    if (made && this.#affiliateAt >= 0 && made[this.#affiliateAt] === '' && this.#reader.hints) {
      made[this.#affiliateAt] = this.#reader.hints(cells).find((hint) => this.#hints.get(key(hint))) ?? '';
    }
    this.#open = { record, made, products: new Set() };
    if (this.#reader.lines) this.#open.products.add(this.#reader.lines.product(cells));
  }

  #close(rows: CsvRecord[]): void {
    if (!this.#open) return;
    const { record, made, products } = this.#open;
    this.#open = undefined;
    if (made && this.#reader.lines) {
      made[this.#productsAt] = [...products].map((one) => one.replace(/[;|]/g, ' ')).join(';');
    }
    record.cells.push(...(made ?? this.#blank));
    rows.push(record);
    if (made) return;
    this.noSales += 1;
    this.#noSales.add(record);
  }

  /** Finds out which of the hints of some records are names of affiliates. */
  async #learn(records: CsvRecord[]): Promise<void> {
    const fresh = new Set<string>();
    if (this.#hints.size > mostHints) this.#hints.clear();
    for (const { cells } of records) {
      for (const hint of this.#reader.hints!(cells)) {
        const name = key(hint);
        if (name !== '' && !this.#hints.has(name)) fresh.add(name);
      }
    }
    if (fresh.size === 0) return;
    const known = new Set(await this.#lookUp([...fresh]));
    for (const name of fresh) this.#hints.set(name, known.has(name));
  }
}

function key(hint: string): string {
  return fold(affiliateName(hint.trim())) ?? '';
}
