import { faultMessage } from '../faults.ts';
import type { LogLine } from '../files/ndjson.ts';
import { hidden } from '../hidden.ts';
import type { Preview } from '../preview.ts';
import { firstRows, type PreviewRow } from '../preview-rows.ts';
import { Controls } from '../sales/controls.ts';
import type { ExactNumber } from '../values/numbers.ts';
import { parseObject } from './json-object.ts';

/** How the events of one kind of log are shown and summed up: not how they are recorded. */
export interface LogView {
  typeOf(event: Record<string, unknown>): string;
  /** Whether events of a type are read; others are ignored, or rejected. */
  reads(type: string): boolean;
  /**
   * The amount of an event that is a conversion or a charge, as the log gives it, whatever else is wrong with the event;
   * undefined for any other event. `text` is its line.
   */
  amountOf(event: Record<string, unknown>, text: string): StatedAmount | 'unreadable' | undefined;
  /** What an event of `type` says, as it is written and as it is understood; undefined where it is of no interest. */
  rowOf(line: LogLine, type: string): PreviewRow | undefined;
}

/** `currency` in capitals. */
export interface StatedAmount {
  currency: string;
  amount: ExactNumber;
}

/** Types that are counted one by one: a log has some dozens, a file that is none may have any number. */
const mostTypes = 100;

/**
 * Looks at every line of a log besides the reading that records it: only where somebody wants to know, since each line
 * is parsed once more for it.
 */
export class LogSurvey {
  /** Every line counts that is not blank, whatever becomes of it. */
  readonly controls = new Controls();
  /** The first lines that are of interest. */
  readonly rows: PreviewRow[] = [];
  readonly #view: LogView;
  readonly #types = new Map<string, number>();

  constructor(view: LogView) {
    this.#view = view;
  }

  look(lines: LogLine[]): void {
    for (const line of lines) {
      const event = parseObject(line.text);
      if (typeof event === 'string') this.#lookAtBroken(line, event);
      else this.#lookAt(line, event);
    }
  }

  /** How many lines there are of each type, the most first. */
  get types(): Preview['event_types'] {
    return [...this.#types]
      .map(([type, lines]) => ({ type: hidden(type), lines, read: this.#view.reads(type) }))
      .sort((a, b) => b.lines - a.lines || (a.type < b.type ? -1 : 1));
  }

  #lookAt(line: LogLine, event: Record<string, unknown>): void {
    const stated = this.#view.amountOf(event, line.text);
    if (stated === undefined) this.controls.addWithoutAmount();
    else if (stated === 'unreadable') this.controls.addUnreadable();
    else this.controls.add(stated.currency, stated.amount);
    const type = this.#view.typeOf(event);
    this.#count(type || 'no type');
    const row = this.rows.length < firstRows ? this.#view.rowOf(line, type) : undefined;
    if (row) this.rows.push(row);
  }

  #lookAtBroken({ line, text }: LogLine, found: string): void {
    this.controls.addUnreadable();
    this.#count('no JSON object');
    if (this.rows.length >= firstRows) return;
    const cells = [{ column: 'the line', raw: hidden(text), field: '', understood: '' }];
    this.rows.push({
      line,
      cells,
      fault: { code: 'json', field: '', message: faultMessage('json', '', found) },
    });
  }

  #count(type: string): void {
    const isKnown = this.#types.has(type) || this.#types.size < mostTypes;
    const counted = isKnown ? type : 'other types';
    this.#types.set(counted, (this.#types.get(counted) ?? 0) + 1);
  }
}
