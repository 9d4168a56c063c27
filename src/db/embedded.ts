import { arrive, type EmbeddedOptions, prepareTools } from './embedded-arrival.ts';
import { databaseName, superuser } from './embedded-cluster.ts';
import { explained } from './embedded-log.ts';
import { closeSession, markKept } from './embedded-member.ts';
import { existingPlace, readPassword } from './embedded-place.ts';
import { findPostmaster } from './embedded-postmaster.ts';
import { stopServer } from './embedded-server.ts';
import { leave, type Member, stopUnused } from './embedded-stop.ts';

export type { EmbeddedOptions };

/*
 * The PostgreSQL server that comes with npm, shared by all processes of one workspace. Nobody owns it. Who uses it
 * is a member, and holds one lock together with the other members:
 *
 *   first    no pid file: initdb, start ── shared lock ── works ── unlocks, tries the lock alone: held by second
 *   second           finds the pid file ── shared lock ── works ─────────── unlocks, gets it alone, stops the server
 *   third                                      finds the pid file ── waits for the shared lock ── cut off, starts it
 *
 * The lock ends with its session, so a member that is killed has left.
 */

export interface EmbeddedServer {
  /** postgres://payrun:<password>@127.0.0.1:<port>/payrun */
  url: string;
  /** Leaves the server; the last to leave stops it and waits until it has ended. */
  release(): Promise<void>;
}

export interface KeptServer {
  url: string;
  port: number;
  pid: number;
  alreadyRunning: boolean;
}

/**
 * Joins the server of `folder` (e.g. <workspace>/.payrun/postgres), starting it, and first creating it, where none
 * runs. It stays up at least until release(), and runs on if this process is killed, until the next member leaves.
 * Raises `database-embedded`, or `interrupted` when the signal aborts first.
 */
export async function joinEmbedded(folder: string, options: EmbeddedOptions = {}): Promise<EmbeddedServer> {
  const member = await arrive(folder, options);
  let left: Promise<void> | undefined;
  const release = () => {
    left ??= leave(member);
    return left;
  };
  return { url: await urlOf(member), release };
}

/**
 * Makes the server of `folder` run until stopEmbedded, whoever comes and goes (`payrun db start`); not beyond a
 * crash. Raises what joinEmbedded raises.
 */
export async function keepEmbedded(folder: string, options: EmbeddedOptions = {}): Promise<KeptServer> {
  const member = await arrive(folder, options);
  const { place, server, session, startedHere } = member;
  try {
    await explained(place, () => markKept(place, server));
    return { url: await urlOf(member), port: server.port, pid: server.pid, alreadyRunning: !startedHere };
  } finally {
    await closeSession(session);
  }
}

/**
 * Stops the server of `folder` (`payrun db stop`); false when none ran. Raises `state` while others use it, unless
 * `force`: then their sessions end, and what they had not committed is undone.
 */
export async function stopEmbedded(folder: string, options: { force?: boolean } = {}): Promise<boolean> {
  const place = await existingPlace(folder);
  if (!place) return false;
  return explained(place, async () => {
    if (!(await findPostmaster(place))) return false;
    const tools = await prepareTools(place);
    if (!options.force) return stopUnused(place, tools);
    await stopServer(place, tools);
    return true;
  });
}

async function urlOf({ place, server }: Member): Promise<string> {
  return `postgres://${superuser}:${await readPassword(place)}@127.0.0.1:${server.port}/${databaseName}`;
}
