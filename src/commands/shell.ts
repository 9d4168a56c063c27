import type { Clock } from '../time.ts';
import type { Paint } from './render.ts';

/*
 * How a command is written. Each file in this folder that is named after a subcommand exports
 *
 *   export function register(program: Command, shell: Shell): void {
 *     program
 *       .command('release')
 *       .description('…')
 *       .option(dryRunFlag, dryRunHelp)
 *       .requiredOption(byFlag, byHelp)        // where a person decides
 *       .action(shell.does((options: ReleaseOptions) => release(shell, options)));
 *   }
 *
 * and main.ts calls it. The work itself is a function that takes the shell, the operands and the options, opens what
 * it needs with withWorkspace or withAccount of open.ts, and returns an Answer. It never prints, never reads argv and
 * never sets the exit code: the shell does that. What goes wrong is raised as a PayrunError.
 */

/** What a command has to say, once: as JSON with --json, as text without it. */
export interface Answer {
  /** The one JSON document of --json: amounts as exact decimals, ids in their public form, instants as Date. */
  data: unknown;
  /** The same for people, without a final newline; empty when there is nothing to say. */
  text(paint: Paint): string;
  /** 0 when left out: 1 something failed, 3 done with something left for a person. */
  exitCode?: 0 | 1 | 2 | 3 | undefined;
}

/** The options that every command takes. */
export interface GlobalOptions {
  workspace?: string;
  account?: string;
  json?: boolean;
}

/** The world outside of the commands; made by main.ts. */
export interface Shell {
  cwd: string;
  env: NodeJS.ProcessEnv;
  clock: Clock;
  /** Aborts when the process is asked to stop for the first time. */
  signal: AbortSignal;
  /** Whether stderr is a terminal, with a person before it. */
  isInteractive: boolean;
  globals(): GlobalOptions;
  /** Makes a commander action of a command's work: prints its answer, and remembers the exit code. */
  does<Args extends unknown[]>(work: (...args: Args) => Promise<Answer>): (...args: Args) => Promise<void>;
  /** Has the times of the answer told in this zone; UTC unless it is called. JSON always has UTC. */
  tellTimesIn(zone: string): void;
  /** Prints a part of the answer's text at once; nothing under --json. */
  show(text: (paint: Paint) => string): void;
  /** Prints data for programs on stdout, such as CSV, as it is; but nothing in it steers a terminal. */
  data(text: string): void;
  /** One line for people on stderr. */
  say(line: string): void;
  /**
   * Replaces what a request to stop does, which is to abort `signal` the first time and to exit the second time.
   * `handle` is told how often it was asked, from 1, and returns false when the process may exit at once.
   */
  onStop(handle: (count: number) => boolean): void;
}
