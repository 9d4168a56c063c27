import { arrive, type EmbeddedOptions, prepareTools } from './embedded-arrival.ts';
import { databaseName, superuser } from './embedded-cluster.ts';
import { explained } from './embedded-log.ts';
import { closeSession, isOver, markKept } from './embedded-member.ts';
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
 * The lock ends with its session, so a member that is killed has left, and one whose server died is a member no more:
 * it begins again like everyone else, and whoever is first starts the server.
 */

export interface EmbeddedServer {
  /** Where it was when this process joined it: postgres://payrun:<password>@127.0.0.1:<port>/payrun */
  url: string;
  /**
   * Where it is now; asked for before each new connection. When it has died since, it is started again, on another
   * port. Raises what joinEmbedded raises.
   */
  address(): Promise<string>;
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
  let member = await arrive(folder, options);
  let arriving: Promise<void> | undefined;
  let left: Promise<void> | undefined;
  const arriveAgain = async () => {
    try {
      member = await arrive(folder, options);
    } finally {
      arriving = undefined;
    }
  };
  const address = async () => {
    if (isOver(member.session) && !left) arriving ??= arriveAgain();
    await arriving;
    return urlOf(member);
  };
  const release = () => {
    left ??= Promise.resolve(arriving).then(
      () => leave(member),
      () => {},
    );
    return left;
  };
  return { url: await urlOf(member), address, release };
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
