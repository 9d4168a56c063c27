import { visible, visibleJson } from '../visible.ts';
import { wrap } from './layout.ts';
import { createPaint, type Paint, styled } from './paint.ts';

/** The one way out for text: what data brings can't steer the terminal, and lines end between words. */
export interface Exit {
  /** How text for stdout is styled, how wide it may be, and in which zone it tells times. */
  paint(zone?: string): Paint;
  /** Text for people on stdout. */
  print(text: string): void;
  /** The JSON document, on stdout. */
  document(data: unknown): void;
  /** Data for programs on stdout: as it is in a file or pipe, but on a terminal nothing in it steers that. */
  data(text: string): void;
  /** Text for people on stderr. */
  say(text: string): void;
}

/**
 * The exit to these streams. `isColoured` is asked each time; `commands` are the names of the commands, before which
 * hints name Payrun as it was called here.
 */
export function createExit(
  { stdout, stderr }: { stdout: NodeJS.WriteStream; stderr: NodeJS.WriteStream },
  env: NodeJS.ProcessEnv,
  { isColoured, commands }: { isColoured(): boolean; commands(): readonly string[] },
): Exit {
  const write = (stream: NodeJS.WriteStream, text: string) => {
    const called = asCalled(env, commands(), text);
    stream.write(`${styled(wrap(visible(called), columnsOf(stream, env)))}\n`);
  };
  return {
    paint: (zone) => createPaint(stdout.isTTY === true && isColoured(), columnsOf(stdout, env), zone),
    print: (text) => write(stdout, text),
    document: (data) => void stdout.write(`${visibleJson(JSON.stringify(data, null, 2))}\n`),
    data: (text) => void stdout.write(`${stdout.isTTY ? visible(text) : text}\n`),
    say: (text) => write(stderr, text),
  };
}

/** Files and pipes have no width; a terminal that does not know its own is taken to be an old one. */
function columnsOf(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): number {
  if (stream.isTTY !== true) return Number.POSITIVE_INFINITY;
  return Number(env.COLUMNS) || stream.columns || 80;
}

/**
 * `text` with `npx` before the commands that it advises, where npm started Payrun: whoever has it by npm alone has no
 * `payrun` to call. npm tells the scripts that it runs, and npx counts as one, what they are.
 */
function asCalled(
  { npm_lifecycle_script: script = '' }: NodeJS.ProcessEnv,
  commands: readonly string[],
  text: string,
) {
  if (!/(^|[\s'"/])payrun(\.js)?(['"\s]|$)/.test(script)) return text;
  const advice = new RegExp(`(?<![\\w./-])(?<!npx )payrun (?=(?:${commands.join('|')})(?![\\w-]))`, 'g');
  return text.replace(advice, 'npx payrun ');
}
