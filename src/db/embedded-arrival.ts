import { PayrunError } from '../errors.ts';
import { findBinaries } from './embedded-binaries.ts';
import { ensureCluster } from './embedded-cluster.ts';
import { prepareLauncher } from './embedded-launcher.ts';
import { deadline, explained } from './embedded-log.ts';
import { enterTogether, openSession } from './embedded-member.ts';
import { openPlace, type Place } from './embedded-place.ts';
import { findPostmaster } from './embedded-postmaster.ts';
import { type Attempt, checkEnd, startServer, type Tools } from './embedded-server.ts';
import { type Member, stopUnused } from './embedded-stop.ts';

export interface EmbeddedOptions {
  /** PostgreSQL settings that replace Payrun's own; they count for whoever starts the server. */
  settings?: Record<string, string>;
  signal?: AbortSignal;
  /** Called before the cluster is created. */
  onFirstStart?: () => void;
}

/** Makes this process a member of the folder's server, whatever it takes. Raises what joinEmbedded raises. */
export async function arrive(folder: string, options: EmbeddedOptions): Promise<Member> {
  throwIfInterrupted(options.signal);
  const place = await openPlace(folder);
  return explained(place, async () => {
    const tools = await prepareTools(place);
    const unsafe = options.settings?.fsync === 'off';
    await ensureCluster(place, tools.binaries, tools.launcher, { ...options, unsafe });
    return findOrStart(place, tools, options);
  });
}

export async function prepareTools(place: Place): Promise<Tools> {
  const binaries = await findBinaries();
  return { binaries, launcher: await prepareLauncher(place, binaries) };
}

/**
 * The loop in which everyone ends up on one server: look for it, start it where there is none, and become a member
 * before it can be stopped; begin again whenever another process was faster.
 */
async function findOrStart(place: Place, tools: Tools, options: EmbeddedOptions): Promise<Member> {
  const { signal, settings = {} } = options;
  const wait = await deadline(place);
  let attempt: Attempt | undefined;
  for (;;) {
    if (signal?.aborted && attempt) await abandon(place, tools, attempt);
    throwIfInterrupted(signal);
    if (attempt?.ended) {
      await checkEnd(place, attempt);
      attempt = undefined;
    }
    const server = await findPostmaster(place);
    if (!server && !attempt) attempt = await startServer(place, tools, settings);
    const session = server && (await openSession(place, server, signal));
    if (server && session && !(session instanceof Error)) {
      const startedHere = attempt?.program.child.pid === server.pid;
      if (await enterTogether(session, signal)) return { place, tools, server, session, startedHere };
    }
    await wait(session instanceof Error ? session : undefined);
  }
}

/** Leaves no server behind that was started in vain. One that does not answer yet cannot have members. */
async function abandon(place: Place, tools: Tools, attempt: Attempt): Promise<void> {
  const server = await findPostmaster(place);
  if (server?.ready) return void (await stopUnused(place, tools).catch(() => {}));
  const { child, end } = attempt.program;
  child.ref();
  child.kill('SIGINT');
  await end;
}

function throwIfInterrupted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new PayrunError('interrupted', 'The start of the database was interrupted.');
}
