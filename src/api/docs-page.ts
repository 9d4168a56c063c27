import { html, raw } from 'hono/html';

/** What is shown of an OpenAPI document. */
interface Described {
  info?: { title?: string; version?: string };
  paths?: Record<string, Record<string, Operation> | undefined>;
}

interface Operation {
  summary?: string;
  description?: string;
  tags?: string[];
  parameters?: { name: string; in: string; required?: boolean; description?: string; schema?: Schema }[];
  requestBody?: { content?: Record<string, { schema?: Schema }> };
  responses?: Record<string, { description?: string; content?: Record<string, { schema?: Schema }> }>;
}

interface Schema {
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  format?: string;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
  description?: string;
  additionalProperties?: unknown;
}

type Html = ReturnType<typeof html>;

/** A page to read an OpenAPI document on; it loads nothing but its style, from here. */
export function docsPage(document: unknown): string {
  const { info, paths = {} } = document as Described;
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods ?? {}).map(([method, operation]) => ({
      path,
      method: method.toUpperCase(),
      operation,
    })),
  );
  const tags = Map.groupBy(routes, ({ operation }) => operation.tags?.[0] ?? 'Other');
  return String(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${info?.title} API</title>
<link rel="stylesheet" href="/docs.css">
</head>
<body>
<header><h1>${info?.title} API</h1>
<p>Every request needs a key of its interface: <code>Authorization: Bearer …</code> (<code>payrun keys create</code>).
The same as a document for machines: <a href="/openapi.json">openapi.json</a>.</p></header>
<nav><ul>${[...tags].map(([tag, some]) => contents(tag, some))}</ul></nav>
<main>${[...tags].map(([tag, some]) => section(tag, some))}</main>
</body>
</html>
`);
}

interface Route {
  path: string;
  method: string;
  operation: Operation;
}

const anchor = ({ method, path }: Route) => `${method}-${path}`.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');

function contents(tag: string, routes: Route[]): Html {
  return html`<li><a href="#${tag}">${tag}</a><ul>${routes.map(
    (route) => html`<li><a href="#${anchor(route)}"><b>${route.method}</b> ${route.path}</a></li>`,
  )}</ul></li>`;
}

function section(tag: string, routes: Route[]): Html {
  return html`<section id="${tag}"><h2>${tag}</h2>${routes.map(described)}</section>`;
}

function described(route: Route): Html {
  const { summary, description, parameters = [], requestBody, responses = {} } = route.operation;
  const body = Object.values(requestBody?.content ?? {})[0]?.schema;
  return html`<article id="${anchor(route)}"><h3><b class="${route.method.toLowerCase()}">${route.method}</b> <code>${route.path}</code></h3>
${summary ? html`<p>${summary}</p>` : ''}${description ? html`<p>${description}</p>` : ''}
${parameters.length > 0 ? html`<h4>Parameters</h4>${table(parameters.map((one) => [one.name, one.in, one.schema, one.required, one.description] as const))}` : ''}
${body ? html`<h4>Body</h4>${fields(body)}` : ''}
${Object.entries(responses).map(([status, answer]) => {
  const schema = Object.values(answer.content ?? {})[0]?.schema;
  return html`<h4>Answer ${status}</h4>${schema ? fields(schema) : ''}`;
})}</article>`;
}

type Line = readonly [
  name: string,
  place: string,
  schema: Schema | undefined,
  isRequired: boolean | undefined,
  about: string | undefined,
];

function table(lines: Line[]): Html {
  return html`<table><thead><tr><th>name</th><th>type</th><th></th></tr></thead><tbody>${lines.map(
    ([
      name,
      place,
      schema,
      isRequired,
      about,
    ]) => html`<tr><td><code>${name}</code>${place === '' ? '' : html` <small>${place}</small>`}</td>
<td>${typeOf(schema)}${isRequired ? html` <em>required</em>` : ''}</td><td>${about ?? schema?.description ?? ''}</td></tr>`,
  )}</tbody></table>`;
}

function fields(schema: Schema, above = '', depth = 0): Html {
  const lines = linesOf(schema, above, depth);
  return lines.length > 0 ? table(lines) : html`<p>${typeOf(schema)}</p>`;
}

/** The members of an object, and those of what is in them, with the names above theirs. */
function linesOf(schema: Schema, above: string, depth: number): Line[] {
  const inner = schema.items ?? schema.anyOf?.find((one) => one.type !== 'null');
  if (!schema.properties)
    return inner && depth < 6 ? linesOf(inner, schema.items ? `${above}[].` : above, depth + 1) : [];
  return Object.entries(schema.properties).flatMap(([name, one]) => {
    const path = `${above.replace(/\.?\[\]\.$/, '[].')}${name}`;
    const own: Line = [path, '', one, schema.required?.includes(name), undefined];
    return depth > 6 ? [own] : [own, ...linesOf(one, one.items ? path : `${path}.`, depth + 1)];
  });
}

function typeOf(schema: Schema | undefined): Html {
  if (!schema) return html`${raw('')}`;
  const some = schema.anyOf ?? schema.oneOf;
  if (some) return html`${some.map((one, at) => html`${at > 0 ? ' or ' : ''}${typeOf(one)}`)}`;
  if (schema.const !== undefined) return html`<code>${JSON.stringify(schema.const)}</code>`;
  if (schema.enum)
    return html`${schema.enum.map((one, at) => html`${at > 0 ? ', ' : ''}<code>${String(one)}</code>`)}`;
  if (schema.items) return html`list of ${typeOf(schema.items)}`;
  const limits = [
    schema.minimum === undefined || schema.minimum < -1e15 ? '' : `from ${schema.minimum}`,
    schema.maximum === undefined || schema.maximum > 1e15 ? '' : `to ${schema.maximum}`,
    schema.default === undefined ? '' : `default ${JSON.stringify(schema.default)}`,
  ].filter(Boolean);
  const name = [schema.type ?? 'anything'].flat().join(' or ');
  return html`${name}${schema.format ? ` (${schema.format})` : ''}${limits.length > 0 ? `, ${limits.join(', ')}` : ''}`;
}

export const docsStyle = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 76rem; padding: 1rem; display: grid; grid-template-columns: 19rem minmax(0, 1fr); gap: 0 2rem; }
header { grid-column: 1 / -1; border-bottom: 1px solid #8886; }
nav { position: sticky; top: 0; align-self: start; max-height: 100vh; overflow: auto; font-size: .85rem; }
nav ul { list-style: none; padding-left: .6rem; } nav a { overflow-wrap: anywhere; } nav b { font-size: .7rem; display: inline-block; width: 2.6rem; }
a { color: inherit; text-decoration-color: #8888; }
article { border-top: 1px solid #8886; padding: .5rem 0 1rem; } h3 code { font-size: 1.05rem; }
h3 b { font-size: .8rem; padding: .1rem .4rem; border-radius: .3rem; background: #8883; } b.post { background: #2a82; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #8883; }
td:first-child { white-space: nowrap; } small, em { color: #888; }
@media (max-width: 50rem) { body { display: block; } nav { position: static; } }
`;
