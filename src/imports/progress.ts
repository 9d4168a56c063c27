import type { Log } from '../log.ts';
import { showCount } from '../money.ts';
import { type Clock, showDuration } from '../time.ts';
import { visibleInLine } from '../visible.ts';

export interface Progress {
  /** Tells how far the work is: rows done, and the share of the input that was read (0 to 1). */
  at(rows: number, share: number): void;
  done(): void;
}

const everyOnTerminal = 200;
const everyInLog = 15_000;

/** Progress with rate and time left: one line that is rewritten on a terminal, a line now and then in a log. */
export function progressOf(
  what: string,
  log: Log,
  clock: Clock,
  terminal: NodeJS.WriteStream = process.stderr,
): Progress {
  const start = clock().getTime();
  const every = terminal.isTTY ? everyOnTerminal : everyInLog;
  let last = start;
  let shown = false;
  return {
    at(rows, share) {
      const now = clock().getTime();
      if (now - last < every || share <= 0) return;
      last = now;
      const elapsed = now - start;
      const rate = Math.round((rows * 1000) / elapsed);
      const left = showDuration((elapsed / share) * (1 - share));
      if (!terminal.isTTY) return log.progress({ what, done: rows, rate, left });
      shown = true;
      terminal.write(
        `\r\x1b[K${visibleInLine(what)}  ${showCount(rows)} rows  ${Math.floor(share * 100)} %  ${showCount(rate)} rows/s  ${left} left`,
      );
    },
    done() {
      if (shown) terminal.write('\r\x1b[K');
    },
  };
}
