import { type ChildProcess, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import path from 'node:path';
import type { Place } from './embedded-place.ts';

/** How the server's programs are started. */
export interface Launcher {
  /** Set only for root, as whom PostgreSQL refuses to run: the user who runs the server and owns its files. */
  user: ServerUser | undefined;
  /** A command that becomes the user and keeps the right to pass closed folders; empty where that is not needed. */
  prefix: string[];
}

export interface ServerUser {
  name: string;
  uid: number;
  gid: number;
}

/** A program that was started. */
export interface Program {
  child: ChildProcess;
  /** Settles when the program ends. */
  end: Promise<Ending>;
}

export interface Ending {
  ok: boolean;
  /** Somebody ended it, or the system did. */
  killed?: boolean;
  /** Why it could not be started at all. */
  cause?: Error;
}

/**
 * Starts one of the server's programs in a session of its own, so that Ctrl-C in the terminal does not reach it.
 * `output` is an open file. Nothing of this process's environment goes along but what programs need to start.
 */
export function launch(
  launcher: Launcher,
  program: string,
  args: string[],
  output: number | 'ignore',
): Program {
  const [command, ...rest] = [...launcher.prefix, program, ...args];
  const user = launcher.prefix.length > 0 ? undefined : launcher.user;
  const passed = ['PATH', 'LD_LIBRARY_PATH', 'SystemRoot'].filter((name) => process.env[name] !== undefined);
  const child = spawn(command!, rest, {
    cwd: path.parse(program).root,
    detached: true,
    env: { ...Object.fromEntries(passed.map((name) => [name, process.env[name]])), LC_ALL: 'C' },
    stdio: ['ignore', output, output],
    windowsHide: true,
    ...(user ? { uid: user.uid, gid: user.gid } : {}),
  });
  const end = new Promise<Ending>((resolve) => {
    child.once('error', (cause) => resolve({ ok: false, cause }));
    child.once('exit', (code) => resolve({ ok: code === 0, killed: code === null }));
  });
  return { child, end };
}

/** Starts one of the server's programs with its output appended to the server log. */
export async function launchLogged(
  launcher: Launcher,
  program: string,
  args: string[],
  place: Place,
): Promise<Program> {
  const log = await open(place.log, 'a', 0o600);
  try {
    if (launcher.user) await log.chown(launcher.user.uid, launcher.user.gid);
    return launch(launcher, program, args, log.fd);
  } finally {
    await log.close();
  }
}

/** Whether a process with this pid exists, whoever owns it. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM';
  }
}
