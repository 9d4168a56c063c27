import type { Config } from './config.ts';
import type { Log } from './log.ts';
import type { Clock } from './time.ts';

/** Everything a piece of work may use besides its own arguments; nothing else is global. */
export interface Context<Db> {
  config: Config;
  db: Db;
  clock: Clock;
  log: Log;
  /** Aborts when the process is asked to stop. */
  signal: AbortSignal;
}
