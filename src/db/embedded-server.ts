import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import os from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import type { Binaries } from './embedded-binaries.ts';
import { embeddedFault, logEnd, logLines, rotateLog } from './embedded-log.ts';
import type { Place } from './embedded-place.ts';
import { findPostmaster } from './embedded-postmaster.ts';
import { type Ending, type Launcher, launch, launchLogged, type Program } from './embedded-process.ts';

/** What is needed to run a server's programs. */
export interface Tools {
  binaries: Binaries;
  launcher: Launcher;
}

/** A server that this process has started and that may not answer yet. */
export interface Attempt {
  program: Program;
  /** The byte of the server log at which its lines begin. */
  start: number;
  /** Set once it has ended. */
  ended?: Ending;
}

/** Starts the server on a port that is free at this moment. It outlives this process. */
export async function startServer(
  place: Place,
  tools: Tools,
  overrides: Record<string, string>,
): Promise<Attempt> {
  const { binaries, launcher } = tools;
  await rotateLog(place);
  const settings = {
    ...defaultSettings(),
    ...(await walCompression(place, tools)),
    ...overrides,
    listen_addresses: '127.0.0.1',
    port: String(await freePort()),
    unix_socket_directories: '',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const start = await logEnd(place);
  const program = await launchLogged(launcher, binaries.postgres, ['-D', place.data, ...args], place);
  program.child.unref();
  const attempt: Attempt = { program, start };
  void program.end.then((end) => {
    attempt.ended = end;
  });
  return attempt;
}

/** No parallel workers: they exchange rows through /dev/shm, which is 64 MB small in a container. */
function defaultSettings(): Record<string, string> {
  const memory = Math.min(os.totalmem(), process.constrainedMemory() || os.totalmem());
  return {
    shared_buffers: memory < 2 * 1024 ** 3 ? '128MB' : '512MB',
    work_mem: '64MB',
    maintenance_work_mem: '256MB',
    max_wal_size: '4GB',
    checkpoint_timeout: '15min',
    max_connections: '100',
    max_parallel_workers_per_gather: '0',
    max_parallel_maintenance_workers: '0',
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
  };
}

/** Less is written to disk where the programs were built with lz4, which differs between platforms. */
async function walCompression(place: Place, { binaries, launcher }: Tools): Promise<Record<string, string>> {
  const args = ['-D', place.data, '-c', 'wal_compression=lz4', '-C', 'wal_compression'];
  const known = await launch(launcher, binaries.postgres, args, 'ignore').end;
  return known.ok ? { wal_compression: 'lz4' } : {};
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

/** Why a server may end at once and start well a moment later. */
const passing = [
  /lock file "postmaster\.pid" (already exists|is empty)/, // another process has just started it
  /pre-existing shared memory block/, // sessions of a killed server have not noticed yet that it is gone
  /Address already in use/, // the port was taken between choosing and using it
];

/**
 * Returns when it is worth starting again after `attempt` has ended: somebody stopped or killed it meanwhile, or it
 * met something that passes. Raises `database-embedded` when it would fail again.
 */
export async function checkEnd(place: Place, attempt: Attempt): Promise<void> {
  if (attempt.ended?.ok || attempt.ended?.killed) return;
  const tag = `[${attempt.program.child.pid}]`;
  const lines = (await logLines(place, attempt.start)).filter((line) => line.includes(tag));
  if (passing.some((reason) => lines.some((line) => reason.test(line)))) return;
  throw await embeddedFault(place, 'The embedded database did not start.', {
    start: attempt.start,
    cause: attempt.ended?.cause,
  });
}

/** How long a server may take to write everything down before it ends. */
const stopPatience = 300_000;

/**
 * Stops the server that runs, ending the sessions of everyone who still uses it; waits until it has written
 * everything down. Raises `database-embedded` when it has not ended after five minutes.
 */
export async function stopServer(place: Place, { binaries, launcher }: Tools): Promise<void> {
  await rm(place.keep, { force: true });
  const server = await findPostmaster(place);
  if (!server) return;
  const start = await logEnd(place);
  const args = ['stop', '-D', place.data, '-m', 'fast', '-W', '-s'];
  const { ok, cause } = await (await launchLogged(launcher, binaries.pg_ctl, args, place)).end;
  // pg_ctl itself would wait for ever where another process starts the server again at once.
  const end = performance.now() + stopPatience;
  while ((await findPostmaster(place))?.identity === server.identity) {
    if (!ok || performance.now() > end)
      throw await embeddedFault(place, 'The embedded database did not stop.', { start, cause });
    await pause(20);
  }
}
