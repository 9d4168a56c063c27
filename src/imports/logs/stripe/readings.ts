import type { LogLine } from '../../files/ndjson.ts';
import type { EventLog } from '../event-log.ts';
import type { StripeFact } from './fact.ts';

type Kind = StripeFact['kind'];
type FactOf<K extends Kind> = Extract<StripeFact, { kind: K }>;

const kinds: readonly Kind[] = [
  'ignored',
  'fault',
  'person',
  'charge',
  'invoice',
  'refund',
  'failure',
  'dispute',
];

/**
 * A log that is gone through several times: once as a whole, then again for the events of one meaning. What each line
 * meant is kept in a byte, because most lines are of no interest, and reading JSON is most of the work.
 */
export class Readings {
  readonly #events: Pick<EventLog, 'lines' | 'onLines'>;
  readonly #read: (line: LogLine) => StripeFact;
  #meant = new Uint8Array(1 << 16);
  #counts = kinds.map(() => 0);

  constructor(events: Pick<EventLog, 'lines' | 'onLines'>, read: (line: LogLine) => StripeFact) {
    this.#events = events;
    this.#read = read;
  }

  /** How many lines meant this, after the first reading. */
  count(kind: Kind): number {
    return this.#counts[kinds.indexOf(kind)]!;
  }

  async *all(): AsyncGenerator<{ line: LogLine; fact: StripeFact }[]> {
    let rows = 0;
    for await (const group of this.#events.lines()) {
      yield group.map((line) => {
        const fact = this.#read(line);
        this.#keep(line.n, kinds.indexOf(fact.kind));
        return { line, fact };
      });
      rows += group.length;
      this.#events.onLines?.(rows);
    }
  }

  /** The events of one meaning, after the first reading; none of another are read again. */
  async *again<K extends Kind>(kind: K): AsyncGenerator<FactOf<K>[]> {
    const wanted = kinds.indexOf(kind);
    let rows = 0;
    for await (const group of this.count(kind) === 0 ? [] : this.#events.lines()) {
      const lines = group.filter(({ n }) => this.#meant[n] === wanted);
      yield lines.map((line) => this.#read(line) as FactOf<K>);
      rows += group.length;
      this.#events.onLines?.(rows);
    }
  }

  #keep(n: number, kind: number): void {
    if (n >= this.#meant.length) {
      const longer = new Uint8Array(this.#meant.length * 2);
      longer.set(this.#meant);
      this.#meant = longer;
    }
    this.#meant[n] = kind;
    this.#counts[kind]! += 1;
  }
}
