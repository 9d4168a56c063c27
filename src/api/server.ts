import fastifySwagger from '@fastify/swagger';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { jsonSchemaTransform, validatorCompiler } from 'fastify-type-provider-zod';
import type { AccountConfig } from '../config.ts';
import type { Context } from '../context.ts';
import type { LetIn } from '../db/api-keys.ts';
import type { Db } from '../db/connect.ts';
import type { ApiKeyKind } from '../db/tables.ts';
import { showId } from '../ids.ts';
import type { RequestDoor } from '../imports/requests.ts';
import { unseal, workspaceKey } from '../secrets.ts';
import { Admission } from './admission.ts';
import { ApiFault, statusOf } from './fault.ts';
import { faultOfRequest } from './fault-of.ts';
import { takeIn } from './intake.ts';
import { problem } from './problem.ts';
import { checkSignature } from './signature.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whom the request is from; set by an interface before its routes. */
    client: LetIn;
  }
}

/** What routes may use. */
export interface ApiContext extends Pick<Context<Db>, 'config' | 'db' | 'clock' | 'log'> {
  env: NodeJS.ProcessEnv;
  door: RequestDoor;
}

/** One upstream interface whose shape is served: who may use it, how often, and how its faults look. */
export interface Interface {
  kind: ApiKeyKind;
  /** How its addresses begin. */
  paths: string[];
  /** How many requests of a method a key has in a minute; where the key is not known, how many one usually has. */
  limit(method: string, known?: { account: AccountConfig; client: LetIn }): number;
  /** Whether reading and writing are counted apart. */
  countsApart: boolean;
  /** The body of a fault. */
  faultBody(fault: ApiFault, request: FastifyRequest): unknown;
  /** The content type of a fault; `application/json` unless said. */
  faultType?: string;
  routes(app: FastifyInstance, api: ApiContext): void;
}

const bodyBytes = 1_048_576;
const requestMilliseconds = 30_000;
const handlerMilliseconds = 60_000;

/**
 * The server of the API with these interfaces, and the routes of nobody's that `system` adds, not listening yet. Bodies
 * are JSON of at most 1 MB; a client that takes longer than half a minute to send its request is cut off.
 */
export async function buildServer(
  api: ApiContext,
  interfaces: Interface[],
  system: (app: FastifyInstance, api: ApiContext, admission: Admission) => void,
): Promise<FastifyInstance> {
  const admission = new Admission(api.db, api.clock);
  const answer = answerer(api, admission, (request) => ownerOf(interfaces, request));
  const app = fastify({
    frameworkErrors: answer,
    bodyLimit: bodyBytes,
    requestTimeout: requestMilliseconds,
    handlerTimeout: handlerMilliseconds,
    connectionTimeout: requestMilliseconds * 2,
    keepAliveTimeout: 10_000,
    maxRequestsPerSocket: 0,
    return503OnClosing: true,
    forceCloseConnections: 'idle',
    genReqId: () => crypto.randomUUID(),
    routerOptions: { maxParamLength: 255 },
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.decorateRequest('client', null as unknown as LetIn);
  takeIn(app);
  await app.register(fastifySwagger, {
    openapi: { openapi: '3.1.0', info: { title: 'Payrun', version: '1' } },
    transform: jsonSchemaTransform,
  });
  app.addHook('onResponse', async (request, reply) => {
    api.log.request({
      request: request.id,
      key: request.client ? showId('key', request.client.key.id) : '-',
      route: `${request.method} ${request.routeOptions.url ?? '-'}`,
      status: reply.statusCode,
      milliseconds: Math.round(reply.elapsedTime),
    });
  });
  system(app, api, admission);
  app.setErrorHandler(answer);
  app.setNotFoundHandler(async (request, reply) => {
    const one = ownerOf(interfaces, request);
    if (one) await admit(one, admission, api, request, reply);
    throw new ApiFault('not-found', 'There is no such address.');
  });
  for (const one of interfaces) {
    await app.register(async (scope) => {
      guard(scope, one, admission, api);
      one.routes(scope, api);
    });
  }
  return app;
}

/** What interfaces are called where all are described. */
const titles: Record<ApiKeyKind, string> = {
  affonso: 'Affonso',
  affilut: 'affilut',
  entries: 'Conversion entries',
  payrun: 'Payrun',
};

/** Everything that comes to an interface passes its guard: it is let in by its key, and answered in its words. */
function guard(app: FastifyInstance, one: Interface, admission: Admission, api: ApiContext): void {
  app.addHook('onRoute', ({ schema }) => {
    if (schema) schema.tags ??= [titles[one.kind]];
  });
  app.addHook('onRequest', (request, reply) => admit(one, admission, api, request, reply));
  app.addHook('preValidation', async (request) => {
    const { signing_secret: sealed, id } = request.client.key;
    if (sealed === null || request.method !== 'POST') return;
    const secret = unseal(workspaceKey(api.config.workspace, api.env), sealed, id);
    checkSignature(secret, request.headers, request.rawBody ?? Buffer.alloc(0), api.clock());
  });
}

const reading = new Set(['GET', 'HEAD']);

/** Lets a request in by its key, counts it, and says how many more there may be. */
async function admit(
  one: Interface,
  admission: Admission,
  api: ApiContext,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const scope = reading.has(request.method) ? 'read' : 'write';
  const counted = one.countsApart ? scope : 'read';
  const { client, used } = await admission.admit(request.headers.authorization, one.kind, counted);
  request.client = client;
  const most = one.limit(request.method, { account: accountOf(api, client), client });
  tellLimit(reply, most, Math.max(0, most - used), admission);
  if (used > most) {
    const retryAfter = Math.max(1, Math.ceil(admission.reset - api.clock().getTime() / 1000));
    throw new ApiFault('too-many', 'The limit of requests in a minute is reached.', { retryAfter });
  }
  if (!client.key.scopes.includes(scope))
    throw new ApiFault('forbidden', `The key has not the scope "${scope}".`);
}

function tellLimit(reply: FastifyReply, limit: number, remaining: number, { reset }: Admission): void {
  reply.headers({
    'x-ratelimit-limit': limit,
    'x-ratelimit-remaining': remaining,
    'x-ratelimit-reset': reset,
  });
}

/** How faults look outside of any interface. */
const plain: Pick<Interface, 'faultBody' | 'faultType'> = {
  faultType: 'application/problem+json',
  faultBody: (fault, request) => problem(fault, request.id),
};

/** The interface whose addresses begin as that of a request does; it answers also where there is no such address. */
function ownerOf(interfaces: Interface[], { url }: FastifyRequest): Interface | undefined {
  const paths = interfaces.flatMap((one) => one.paths.map((path) => ({ path, one })));
  const [longest] = paths
    .filter(({ path }) => url.startsWith(path))
    .sort((a, b) => b.path.length - a.path.length);
  return longest?.one;
}

function answerer(
  api: ApiContext,
  admission: Admission,
  ownerIs: (request: FastifyRequest) => Interface | undefined,
) {
  return (cause: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const one = ownerIs(request);
    const { faultBody, faultType } = one ?? plain;
    const { fault, isDefect } = faultOfRequest(cause);
    if (isDefect) api.log.requestFailed({ request: request.id, message: String((cause as Error).name) });
    if (fault.retryAfter !== undefined) reply.header('retry-after', fault.retryAfter);
    // Whom nobody knows is told what a key usually has.
    if (one && !reply.hasHeader('x-ratelimit-limit')) {
      const usual = one.limit(request.method);
      tellLimit(reply, usual, usual, admission);
    }
    return reply
      .status(statusOf[fault.kind])
      .type(faultType ?? 'application/json')
      .send(faultBody(fault, request));
  };
}

/** What payrun.json says of the account of a client. Raises `unauthorized` where it has none of that name. */
export function accountOf({ config }: Pick<ApiContext, 'config'>, client: LetIn): AccountConfig {
  const account = config.accounts.find((one) => one.ref === client.accountRef);
  if (!account) throw new ApiFault('unauthorized', 'The API key is not valid.');
  return account;
}
