import { PayrunError } from '../../errors.ts';
import { fold } from '../../ledger/stage.ts';
import type { Work } from '../../runs/work.ts';
import type { RowFault } from '../faults.ts';
import type { CsvRecord } from '../files/records.ts';
import type { Noted } from '../noted.ts';
import type { PresetReader } from '../presets/shape.ts';
import type { Outcome } from '../rejects.ts';
import { affiliateName } from '../values/values.ts';
import { affiliatesNamed, type LookUp } from './hints.ts';
import type { UnderstoodFile } from './layout.ts';
import { type Order, OrderLines } from './order-lines.ts';
import { columnIn, type Preset } from './preset.ts';

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
  const looksAt = new Set<number>();
  const column = columnIn(csv.header, (at) => looksAt.add(at));
  const reader = preset.reader({ column, currency, dateFormat });
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
  return new PresetRows(preset, reader, { header: csv.header, shown: file.shown, twice, looksAt }, lookUp);
}

/**
 * Makes rows of the records of a known export: joins the lines of one order, and puts the cells that the preset makes
 * behind those of the header. A spoiled record keeps its cells.
 */
export class PresetRows {
  /** Rows that are no sale. */
  noSales = 0;
  /** The columns of the file that the preset makes its cells of. */
  readonly looksAt: ReadonlySet<number>;
  readonly #reader: PresetReader;
  readonly #twice: Noted;
  readonly #blank: string[];
  readonly #affiliateAt: number;
  readonly #productsAt: number;
  readonly #lookUp: LookUp;
  #hints = new Map<string, boolean>();
  readonly #orders: () => OrderLines;
  readonly #joined: OrderLines;
  #noSales = new Set<CsvRecord>();
  #faults = new Map<CsvRecord, RowFault>();

  constructor(
    { makes }: Preset,
    reader: PresetReader,
    {
      header,
      shown,
      twice,
      looksAt,
    }: { header: string[]; shown: string; twice: Noted; looksAt: ReadonlySet<number> },
    lookUp: LookUp,
  ) {
    this.looksAt = looksAt;
    this.#reader = reader;
    this.#orders = () => new OrderLines({ header, shown }, reader.lines);
    this.#joined = this.#orders();
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
      yield this.#rows(records.flatMap((record) => this.#joined.add(record)));
    }
    yield this.#rows(this.#joined.end());
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
    const orders = this.#orders();
    let next = await found.next();
    const withOutcome = async (complete: Order[]) => {
      const named: { record: CsvRecord; outcome: Outcome }[] = [];
      for (const { record, further } of complete) {
        if (next.done || next.value.n !== record.n) continue;
        const outcome = next.value;
        for (const line of [record, ...further]) named.push({ record: line, outcome });
        next = await found.next();
      }
      return named;
    };
    for await (const group of groups) {
      for (const record of group) yield* await withOutcome(orders.add(record));
    }
    yield* await withOutcome(orders.end());
  }

  #rows(complete: Order[]): CsvRecord[] {
    this.#noSales.clear();
    this.#faults.clear();
    for (const order of complete) {
      if (order.fault) this.#faults.set(order.record, order.fault);
      else this.#make(order);
    }
    return complete.map(({ record }) => record);
  }

  /** Puts the cells that the preset makes behind those of an order's first line. */
  #make({ record, further }: Order): void {
    const { cells, line } = record;
    const made = this.#reader.read(cells, () => this.#twice.add(line));
    if (made && this.#affiliateAt >= 0 && made[this.#affiliateAt] === '' && this.#reader.hints) {
      made[this.#affiliateAt] = this.#reader.hints(cells).find((hint) => this.#hints.get(key(hint))) ?? '';
    }
    if (made && this.#reader.lines) {
      const products = new Set([record, ...further].map((one) => this.#reader.lines!.product(one.cells)));
      made[this.#productsAt] = [...products].map((one) => one.replace(/[;|]/g, ' ')).join(';');
    }
    cells.push(...(made ?? this.#blank));
    if (made) return;
    this.noSales += 1;
    this.#noSales.add(record);
  }

  /** Finds out which of the hints of some records are names of affiliates. */
  async #learn(records: CsvRecord[]): Promise<void> {
    const fresh = new Set<string>();
    if (this.#hints.size > mostHints) this.#hints.clear();
    for (const { cells } of [...this.#joined.waiting, ...records]) {
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
