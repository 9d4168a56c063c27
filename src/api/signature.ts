import { createHmac, timingSafeEqual } from 'node:crypto';
import { ApiFault } from './fault.ts';

/** How far a signed moment may be from the server's clock, in seconds. */
const window = 300;

/**
 * Checks the signature of a request: lower-case hex of HMAC-SHA256 over `timestamp.rawBody`, the timestamp in Unix
 * seconds. The same signature may come again within the window, as their client repeats it with each retry: idempotency
 * answers it. Raises `unauthorized`.
 */
export function checkSignature(
  secret: string,
  headers: Record<string, string | string[] | undefined>,
  rawBody: Buffer,
  now: Date,
): void {
  const timestamp = headers['x-affonso-timestamp'];
  const signature = headers['x-affonso-signature'];
  if (typeof timestamp !== 'string' || typeof signature !== 'string')
    throw refused('X-Affonso-Timestamp and X-Affonso-Signature are required for this key.');
  if (!/^\d{1,12}$/.test(timestamp)) throw refused('X-Affonso-Timestamp must be Unix seconds.');
  if (Math.abs(Number(timestamp) - now.getTime() / 1000) > window)
    throw refused('X-Affonso-Timestamp is too far from the present.');
  const expected = createHmac('sha256', secret).update(`${timestamp}.`).update(rawBody).digest();
  const given = /^[0-9a-f]{64}$/.test(signature) ? Buffer.from(signature, 'hex') : Buffer.alloc(0);
  if (given.length !== expected.length || !timingSafeEqual(given, expected))
    throw refused('X-Affonso-Signature does not fit the body.');
}

function refused(message: string): ApiFault {
  return new ApiFault('unauthorized', message);
}
