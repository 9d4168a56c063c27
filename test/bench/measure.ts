import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** What one process took: wall time from its start to its end, and what it says of itself. */
export interface Measured {
  seconds: number;
  cpuSeconds: number;
  peakBytes: number;
  stdout: string;
}

/** What a measured process says of itself at its end. */
interface Usage {
  /** Processor time of the process in seconds, in user and system mode. */
  cpuSeconds: number;
  peakBytes: number;
  /** How long after its start the work began: 0 unless the process set the mark `begin`. */
  beginSeconds: number;
}

/** A script for Node to run, and how. */
export interface Program {
  /** The script, and its arguments. */
  args: string[];
  databaseUrl: string;
  /** Files for standard input and output. */
  stdin?: string;
  stdout?: string;
}

const preload = pathToFileURL(path.join(import.meta.dirname, 'usage.js')).href;
/** The built command, as it is published. */
const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** Runs a program to its end. `folder` takes the file in which it says what it used. Raises an error when it fails. */
export async function measure(program: Program, folder: string, signal: AbortSignal): Promise<Measured> {
  const usageFile = path.join(folder, 'usage.json');
  const files = [
    program.stdin === undefined ? undefined : await open(program.stdin),
    program.stdout === undefined ? undefined : await open(program.stdout, 'w'),
  ];
  try {
    const start = performance.now();
    const child = spawn(process.execPath, ['--import', preload, ...program.args], {
      stdio: [files[0]?.fd ?? 'ignore', files[1]?.fd ?? 'pipe', 'pipe'],
      env: {
        ...process.env,
        DATABASE_URL: program.databaseUrl,
        PAYRUN_BENCH_USAGE: usageFile,
        NO_COLOR: '1',
      },
      signal,
    });
    const ended = once(child, 'close');
    const [[code], stdout, stderr] = await Promise.all([
      ended,
      child.stdout ? text(child.stdout) : '',
      text(child.stderr!),
    ]);
    const seconds = (performance.now() - start) / 1000;
    if (code !== 0)
      throw new Error(`${program.args.join(' ')} ended with ${code}:\n${stderr.slice(-2_000)}${stdout}`);
    const usage = JSON.parse(await readFile(usageFile, 'utf8')) as Usage;
    return {
      seconds: seconds - usage.beginSeconds,
      cpuSeconds: usage.cpuSeconds,
      peakBytes: usage.peakBytes,
      stdout,
    };
  } finally {
    for (const file of files) await file?.close();
  }
}

/** A payrun command in a workspace, answering in JSON. */
export function payrun(workspace: string, databaseUrl: string, ...args: string[]): Program {
  return { args: [cli, '--workspace', workspace, '--json', ...args], databaseUrl };
}
