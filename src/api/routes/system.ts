import type { FastifyInstance, FastifyRequest } from 'fastify';
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import { pendingMigrations } from '../../db/migrate.ts';
import type { Admission } from '../admission.ts';
import { attributionScript } from '../attribution-script.ts';
import { docsPage, docsStyle } from '../docs-page.ts';
import type { ApiContext } from '../server.ts';

const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** What is nobody's interface: health, metrics, the description of all routes, and the script that shops load. */
export function system(app: FastifyInstance, api: ApiContext, admission: Admission): void {
  const hidden = { schema: { hide: true } };
  app.get('/healthz', hidden, async () => ({ status: 'ok' }));
  app.get('/readyz', hidden, async (_, reply) => {
    const isReady = await pendingMigrations(api.db).then(
      (pending) => pending.length === 0,
      () => false,
    );
    return reply.status(isReady ? 200 : 503).send({ status: isReady ? 'ready' : 'not ready' });
  });
  app.get('/openapi.json', hidden, async () => app.swagger());
  app.get('/docs', hidden, async (_, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', "default-src 'none'; style-src 'self'")
      .send(docsPage(app.swagger())),
  );
  app.get('/attribution.js', hidden, async (_, reply) =>
    reply
      .type('text/javascript; charset=utf-8')
      .headers({ 'cache-control': 'public, max-age=3600', 'cross-origin-resource-policy': 'cross-origin' })
      .send(attributionScript),
  );
  app.get('/docs.css', hidden, async (_, reply) => reply.type('text/css').send(docsStyle));
  metrics(app, admission);
}

/** `/metrics`, to whoever is on this machine or has a key of Payrun's own interface. */
function metrics(app: FastifyInstance, admission: Admission): void {
  const register = new Registry();
  collectDefaultMetrics({ register });
  const seconds = new Histogram({
    name: 'payrun_request_seconds',
    help: 'How long requests took, by route and status.',
    labelNames: ['method', 'route', 'status'],
    buckets,
    registers: [register],
  });
  app.addHook('onResponse', async (request, reply) => {
    const labels = {
      method: request.method,
      route: request.routeOptions.url ?? 'none',
      status: reply.statusCode,
    };
    seconds.observe(labels, reply.elapsedTime / 1000);
  });
  app.get('/metrics', { schema: { hide: true } }, async (request, reply) => {
    if (!isLocal(request)) await admission.admit(request.headers.authorization, 'payrun', 'metrics');
    return reply.type(register.contentType).send(await register.metrics());
  });
}

function isLocal({ socket, headers }: FastifyRequest): boolean {
  const address = socket.remoteAddress ?? '';
  const isLoopback = address === '::1' || /^(?:::ffff:)?127\./.test(address);
  // A proxy on this machine speaks for others.
  return isLoopback && headers['x-forwarded-for'] === undefined && headers.forwarded === undefined;
}
