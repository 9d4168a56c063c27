import { Controls } from './controls.ts';
import { parseObject } from './event-line.ts';
import type { LogLine } from './ndjson.ts';
import type { ExactNumber } from './numbers.ts';

/** How the events of one kind of log are read for control totals: not for what is recorded of them. */
export interface LogView {
  /**
   * The amount of an event that is a conversion or a charge, as the log gives it, whatever else is wrong with the event;
   * undefined for any other event. `text` is its line.
   */
  amountOf(event: Record<string, unknown>, text: string): StatedAmount | 'unreadable' | undefined;
}

/** `currency` in capitals. */
export interface StatedAmount {
  currency: string;
  amount: ExactNumber;
}

/**
 * Looks at every line of a log besides the reading that records it: only where somebody wants to know, since each line
 * is parsed once more for it.
 */
export class LogSurvey {
  /** Every line counts that is not blank, whatever becomes of it. */
  readonly controls = new Controls();
  readonly #view: LogView;

  constructor(view: LogView) {
    this.#view = view;
  }

  look(lines: LogLine[]): void {
    for (const { text } of lines) {
      const event = parseObject(text);
      const stated = typeof event === 'string' ? 'unreadable' : this.#view.amountOf(event, text);
      if (stated === undefined) this.controls.addWithoutAmount();
      else if (stated === 'unreadable') this.controls.addUnreadable();
      else this.controls.add(stated.currency, stated.amount);
    }
  }
}
