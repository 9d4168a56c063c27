import { PayrunError } from '../errors.ts';
import { deadline, explained } from './embedded-log.ts';
import {
  closeSession,
  countOthers,
  holdAlone,
  isKept,
  leaveTogether,
  type MemberSession,
  openSession,
} from './embedded-member.ts';
import type { Place } from './embedded-place.ts';
import { findPostmaster, type Postmaster } from './embedded-postmaster.ts';
import { stopServer, type Tools } from './embedded-server.ts';

/** Someone who uses the server: it is not stopped while the session holds its share of the members' lock. */
export interface Member {
  place: Place;
  tools: Tools;
  server: Postmaster;
  session: MemberSession;
  /** The server was started for this member. */
  startedHere: boolean;
}

/** Gives membership up, and stops the server if nobody else is a member and it is not to stay up by itself. */
export async function leave({ place, tools, server, session }: Member): Promise<void> {
  try {
    const last = await leaveTogether(session);
    if (last && !(await isKept(place, server))) await explained(place, () => stopServer(place, tools));
  } finally {
    await closeSession(session);
  }
}

/** Stops the server unless it has members; false when none ran. Raises `state` when it has. */
export async function stopUnused(place: Place, tools: Tools): Promise<boolean> {
  const wait = await deadline(place);
  for (;;) {
    const server = await findPostmaster(place);
    if (!server) return false;
    const session = await openSession(place, server, undefined);
    if (session instanceof Error) {
      await wait(session);
      continue;
    }
    try {
      if (!(await holdAlone(session))) throw await inUse(session);
      await stopServer(place, tools);
      return true;
    } finally {
      await closeSession(session);
    }
  }
}

async function inUse(session: MemberSession): Promise<PayrunError> {
  const others = Math.max(1, await countOthers(session));
  const who = others === 1 ? 'Another process uses' : `${others} other processes use`;
  return new PayrunError('state', `${who} the embedded database, so it was not stopped.`, {
    todo: 'Wait until they have ended, or stop it all the same with --force: what they had not finished is undone.',
  });
}
