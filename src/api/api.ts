import type { FastifyInstance } from 'fastify';
import type { Context } from '../context.ts';
import type { Db } from '../db/connect.ts';
import { PayrunError } from '../errors.ts';
import { RequestDoor } from '../imports/requests.ts';
import { affilut } from './routes/affilut.ts';
import { affonso } from './routes/affonso.ts';
import { entries } from './routes/entries.ts';
import { payrun } from './routes/payrun.ts';
import { system } from './routes/system.ts';
import { type ApiContext, buildServer, type Interface } from './server.ts';

const interfaces: Interface[] = [affonso, affilut, entries, payrun];

/** The server over `context`, not listening yet. */
export function openApi(
  context: Pick<Context<Db>, 'config' | 'db' | 'clock' | 'log'>,
  env: NodeJS.ProcessEnv,
): Promise<FastifyInstance> {
  const { config, db, clock, log } = context;
  const api: ApiContext = { config, db, clock, log, env, door: new RequestDoor(db, clock) };
  return buildServer(api, interfaces, system);
}

/**
 * Serves the API until `stop`; then answers the requests under way and returns. Raises `usage` where the address can't be
 * listened at.
 */
export async function serveApi(
  context: Context<Db>,
  how: {
    host: string;
    port: number;
    env: NodeJS.ProcessEnv;
    stop: AbortSignal;
    onListening: (url: string) => void;
  },
): Promise<void> {
  const app = await openApi(context, how.env);
  try {
    how.onListening(`Listening at ${await app.listen({ host: how.host, port: how.port })}`);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new PayrunError('usage', `Nothing can be served at ${how.host}:${how.port}.`, {
      found: code ?? 'unknown',
      todo: 'Take another --port or --host, or stop what listens there.',
      cause,
    });
  }
  if (!how.stop.aborted)
    await new Promise((resolve) => how.stop.addEventListener('abort', resolve, { once: true }));
  await app.close();
}
