import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiFault } from './fault.ts';
import { tooBusy } from './fault-of.ts';
import { type JsonBody, readJson } from './json-body.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Its body as it came, and its numbers as they were written, also those of the objects in it. */
    rawBody: Buffer;
    numbers: JsonBody['numbers'];
    innerNumbers: JsonBody['inner'];
  }
}

/** Requests that are answered at the same time at the most: more would only wait, and then be given up. */
const mostAtOnce = 1_000;

/** Lets bodies of JSON in and nothing else, and no more requests at once than can be answered. */
export function takeIn(app: FastifyInstance): void {
  app.decorateRequest('rawBody', null as unknown as Buffer);
  app.decorateRequest('numbers', null as unknown as JsonBody['numbers']);
  app.decorateRequest('innerNumbers', null as unknown as JsonBody['inner']);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => {
      const { value, numbers, inner } = readJson(body);
      request.rawBody = body;
      request.numbers = numbers;
      request.innerNumbers = inner;
      return value;
    },
  );
  let underWay = 0;
  app.addHook('onRequest', async (request) => {
    underWay += 1;
    request.raw.once('close', () => {
      underWay -= 1;
    });
    if (underWay > mostAtOnce) throw tooBusy();
    if (!isText(request.url)) throw new ApiFault('invalid', 'The address is no text.');
  });
}

/** Whether an address holds nothing but text, which a NUL and broken UTF-8 are not. */
function isText(url: string): boolean {
  try {
    return !decodeURIComponent(url).includes('\0');
  } catch {
    return false;
  }
}
