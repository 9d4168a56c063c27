import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const sources = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Place {
  cwd: string;
  /** DATABASE_URL; without it the workspace has its embedded server. */
  url?: string | undefined;
  env?: Record<string, string>;
  /** What to put on standard input. */
  input?: Buffer;
  /** Another command line than that of the sources. */
  cli?: string;
}

/** Starts the real command line as a process of its own. */
export function start(args: string[], { cwd, url, env = {}, input, cli = sources }: Place): ChildProcess {
  // Starting is most of what a short command does; the cache halves it.
  const cache = path.join(tmpdir(), 'payrun-test-compile-cache');
  const inherited = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    USER: 'ada',
    NODE_COMPILE_CACHE: cache,
  };
  const database = url === undefined ? {} : { DATABASE_URL: url };
  const child = spawn(process.execPath, [cli, ...args], {
    cwd,
    env: { ...inherited, ...database, ...env },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  child.stdin?.end(input);
  return child;
}

/** Everything that the process says until it ends. */
export async function ended(child: ChildProcess): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

/** Runs the real command line to its end. */
export async function payrun(args: string[], place: Place): Promise<Ended> {
  return ended(start(args, place));
}

/** The JSON document that a command prints with --json; throws, with what it said, unless it ends with `code`. */
export async function payrunJson(args: string[], place: Place, code = 0): Promise<unknown> {
  const run = await payrun([...args, '--json'], place);
  if (run.code !== code) throw new Error(`exit code ${run.code}\n${run.stdout}\n${run.stderr}`);
  return JSON.parse(run.stdout);
}
