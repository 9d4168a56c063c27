import type { FastifyInstance } from 'fastify';
import { afterAll } from 'vitest';
import { openApi } from '../../src/api/api.ts';
import { createKey, type KeyScope } from '../../src/db/api-keys.ts';
import type { Db } from '../../src/db/connect.ts';
import type { ApiKeyKind } from '../../src/db/tables.ts';
import { makeKeyFile, seal, workspaceKey } from '../../src/secrets.ts';
import { type Desk, type DeskSettings, openDesk } from '../support/desk.ts';
import { today } from '../support/world.ts';

/** The JSON of an answer, as a test looks into it. */
// biome-ignore lint/suspicious/noExplicitAny: what comes back is what the test is about to find out
type Body = any;

/** A desk that is served at an address of its own, and how a client speaks to it. */
export interface Served extends Desk {
  url: string;
  app: FastifyInstance;
  /** Serves the same as a second process would, at the address that it returns. */
  again(): Promise<string>;
  /** Makes a key and returns its text. */
  key(kind: ApiKeyKind, options?: { scopes?: KeyScope[]; secret?: string }): Promise<string>;
  /** Sends a request with a key; a body that is a text is sent as it is. */
  send(
    method: string,
    path: string,
    options?: { key?: string; body?: unknown; headers?: Record<string, string>; at?: string },
  ): Promise<{ status: number; body: Body; headers: Headers; text: string }>;
}

/** Serves a desk, and the accounts of another `beside` it; `now` is what its clock says. */
export async function serveDesk(
  db: Db,
  { now = () => today, beside, ...settings }: DeskSettings & { now?: () => Date; beside?: Desk } = {},
): Promise<Served> {
  const desk = await openDesk(db, settings);
  const { context } = desk.work();
  if (beside) context.config.accounts.push(...beside.work().context.config.accounts);
  const opened = async () => {
    const app = await openApi({ ...context, clock: now }, {});
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    afterAll(() => app.close());
    return { app, url };
  };
  const { app, url } = await opened();
  return {
    ...desk,
    url,
    app,
    again: async () => (await opened()).url,
    async key(kind, { scopes = ['read', 'write'] as KeyScope[], secret } = {}) {
      await makeKeyFile(desk.workspace);
      const sealed = secret && ((id: string) => seal(workspaceKey(desk.workspace, {}), secret, id));
      const wanted = { name: 'test', kind, scopes, sourceId: null, now: now() };
      return (await createKey(db, desk.world.accountId, wanted, sealed || undefined)).text;
    },
    async send(method, path, { key, body, headers = {}, at = url } = {}) {
      const response = await fetch(at + path, {
        method,
        headers: {
          ...(key !== undefined && { authorization: `Bearer ${key}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      const isJson = /json/.test(response.headers.get('content-type') ?? '');
      return {
        status: response.status,
        body: isJson ? JSON.parse(text) : undefined,
        headers: response.headers,
        text,
      };
    },
  };
}
