import { Agent, request } from 'node:http';

/** What a server has done under a load: answers a second, and their times in milliseconds. */
export interface Load {
  perSecond: number;
  p50: number;
  p99: number;
}

/** Has `clients` send conversions one after the other, each its own, for so many seconds; raises for any other answer than 201. */
export async function load(
  url: string,
  { clients, seconds, keyOf }: { clients: number; seconds: number; keyOf: (n: number) => string },
): Promise<Load> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const times: number[] = [];
  let sent = 0;
  const once = () => {
    const n = sent++;
    const body = JSON.stringify({
      affiliate_id: `partner-${String((n % 1000) + 1).padStart(4, '0')}`,
      amount_cents: 4_900,
      external_id: `R-${n}`,
    });
    return post(agent, `${url}/api/v1/conversions`, keyOf(n), body);
  };
  // The first requests find cold code and empty pools.
  for (let n = 0; n < 200; n += 1) await once();
  const begun = performance.now();
  const until = begun + seconds * 1000;
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (performance.now() < until) {
        const at = performance.now();
        await once();
        times.push(performance.now() - at);
      }
    }),
  );
  const took = (performance.now() - begun) / 1000;
  agent.destroy();
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))]!;
  return { perSecond: times.length / took, p50: at(0.5), p99: at(0.99) };
}

function post(agent: Agent, url: string, key: string, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const sending = request(url, {
      agent,
      method: 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      },
    });
    sending.on('response', (response) => {
      let text = '';
      response.on('data', (piece) => {
        text += piece;
      });
      response.on('end', () =>
        response.statusCode === 201 ? resolve() : reject(new Error(`${response.statusCode} ${text}`)),
      );
    });
    sending.on('error', reject);
    sending.end(body);
  });
}
