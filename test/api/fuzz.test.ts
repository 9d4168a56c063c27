import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ApiKeyKind } from '../../src/db/tables.ts';
import { audited } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import { holds } from '../support/property.ts';
import { serveDesk } from './serving.ts';

const { db } = await testDatabase();

interface Schema {
  type?: string;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
}

interface Operation {
  parameters?: { name: string; in: 'path' | 'query' | 'header'; schema?: Schema }[];
  requestBody?: { content?: Record<string, { schema?: Schema }> };
}

/** Texts that have broken others. */
const hostile = fc.constantFrom(
  "' or 1=1 --",
  '"; drop table commission; --',
  '%00',
  '\u0000',
  '\ud800',
  '__proto__',
  '../../etc/passwd',
  '{{7*7}}',
  '1e400',
  '0.1',
  '-1',
  '9007199254740993',
  'ann',
  '2026-02-30T25:61:00Z',
  'aff_01kjp7t0w0e4cvrg0600000003',
  '019cac7d-0380-7d3b-be3c-cc9b6c3c3ea6',
);

/** Values that a schema allows, and now and then others. */
function anyValue(schema: Schema | undefined): fc.Arbitrary<unknown> {
  const junk = fc.oneof(
    hostile,
    fc.string(),
    fc.integer(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.jsonValue(),
  );
  return fc.oneof({ weight: 5, arbitrary: fitting(schema) }, { weight: 1, arbitrary: junk });
}

function fitting(schema: Schema | undefined): fc.Arbitrary<unknown> {
  if (!schema) return fc.jsonValue();
  const some = schema.anyOf ?? schema.oneOf;
  if (some) return fc.oneof(...some.map(fitting));
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.type === 'string')
    return fc.oneof(
      fc.string(),
      hostile,
      fc.date({ noInvalidDate: true }).map((at) => at.toISOString()),
    );
  if (schema.type === 'integer') return fc.oneof(fc.integer(), fc.nat(100));
  if (schema.type === 'number')
    return fc.oneof(
      fc.double({ noNaN: true }),
      fc.integer({ min: 0, max: 100_000 }).map((cents) => cents / 100),
    );
  if (schema.type === 'boolean') return fc.boolean();
  if (schema.type === 'null') return fc.constant(null);
  if (schema.type === 'array') return fc.array(anyValue(schema.items), { maxLength: 3 });
  const members = Object.entries(schema.properties ?? {}).map(
    ([name, one]) => [name, anyValue(one)] as const,
  );
  return members.length === 0
    ? fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 3 })
    : fc.record(Object.fromEntries(members), { requiredKeys: schema.required ?? [] });
}

/** The interface whose key an address needs. */
function kindOf(path: string): ApiKeyKind {
  if (path.startsWith('/payrun/')) return 'payrun';
  if (path.startsWith('/v1/')) return 'affonso';
  return path.startsWith('/api/v1/businesses') ? 'entries' : 'affilut';
}

test('whatever is sent to any route, no answer is a defect, and the books balance', async () => {
  const desk = await serveDesk(db);
  await desk.world.affiliate({ ref: 'ann' });
  const { body: document } = await desk.send('GET', '/openapi.json');
  const routes = Object.entries(document.paths as Record<string, Record<string, Operation>>).flatMap(
    ([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        path,
        method: method.toUpperCase(),
        operation,
      })),
  );
  expect(routes.length).toBeGreaterThan(7);
  const requests = fc.constantFrom(...routes).chain(({ path, method, operation }) => {
    const parameters = operation.parameters ?? [];
    const of = (place: string) =>
      fc.record(
        Object.fromEntries(
          parameters.filter((one) => one.in === place).map((one) => [one.name, anyValue(one.schema)]),
        ),
        { requiredKeys: [] },
      );
    const schema = Object.values(operation.requestBody?.content ?? {})[0]?.schema;
    return fc.record({
      path: fc.constant(path),
      method: fc.constant(method),
      params: of('path'),
      query: of('query'),
      headers: of('header'),
      body: method === 'GET' ? fc.constant(undefined) : anyValue(schema),
    });
  });
  await holds(
    fc.asyncProperty(requests, async ({ path, method, params, query, body }) => {
      const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
        encoded((params as Record<string, unknown>)[name] ?? 'x'),
      );
      const search = Object.entries(query as Record<string, unknown>).map(
        ([name, value]) => `${name}=${encoded(value)}`,
      );
      const url = `${filled}${search.length > 0 ? `?${search.join('&')}` : ''}`;
      // A new key each time, so that no limit is reached.
      const key = await desk.key(kindOf(path));
      const answer = await desk.send(method, url, { key, ...(body !== undefined && { body }) });
      expect([answer.status < 500, answer.text]).toEqual([true, answer.text]);
      expect(answer.headers.get('content-type')).toContain('json');
      expect(answer.text).not.toMatch(/node_modules|syntax error|\bat \w+ \(|relation "/);
    }),
    400,
  );
  expect(await audited(desk.world)).toEqual([]);
});

function encoded(value: unknown): string {
  return (
    encodeURIComponent(String(typeof value === 'object' ? JSON.stringify(value) : value).toWellFormed()) ||
    'x'
  );
}
