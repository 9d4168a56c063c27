import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { ended, payrun, payrunJson, start } from '../commands/payrun.ts';
import { openShop, type Shop } from '../commands/shop.ts';
import { testDatabase } from '../support/database.ts';

/** Starts `payrun serve` on a free port, and returns the process and its address. */
async function serve(shop: Shop): Promise<{ child: ChildProcess; url: string }> {
  const child = start(['serve', '--port', '0'], shop);
  const url = await new Promise<string>((resolve, reject) => {
    let said = '';
    child.stderr!.on('data', (piece: Buffer) => {
      said += piece;
      const [, found] = /Listening at (\S+)/.exec(said) ?? [];
      if (found) resolve(found);
    });
    child.once('close', () => reject(new Error(`It does not serve: ${said}`)));
  });
  return { child, url };
}

/** Sends sales `from` to `to` at once; the ids of those that were answered as recorded. */
async function send(url: string, key: string, ids: string[]): Promise<string[]> {
  const answers = await Promise.allSettled(
    ids.map(async (id) => {
      const response = await fetch(`${url}/api/v1/conversions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ affiliate_id: 'ada', amount_cents: 1_000, external_id: id }),
      });
      return response.status === 201 ? id : undefined;
    }),
  );
  return answers.flatMap((one) => (one.status === 'fulfilled' && one.value ? [one.value] : []));
}

async function opened() {
  const { db, url } = await testDatabase();
  const shop = await openShop(url);
  // One key may send thirty a minute.
  const newKey = async () =>
    ((await payrunJson(['keys', 'create', 'x', '--for', 'affilut'], shop)) as { key: string }).key;
  const key = await newKey();
  const recorded = async () => {
    const rows = await db.sql
      .selectFrom('conversion')
      .select('external_id')
      .where('external_id', 'like', 'R-%')
      .execute();
    return rows.map((row) => row.external_id).sort();
  };
  return { db, shop, key, newKey, recorded };
}

const ids = (count: number) => Array.from({ length: count }, (_, n) => `R-${String(n).padStart(3, '0')}`);

test('asked to stop, the server answers what it has taken, and ends', async () => {
  const { shop, key, recorded } = await opened();
  const { child, url } = await serve(shop);
  const sent = send(url, key, ids(25));
  await new Promise((resolve) => setImmediate(resolve));
  child.kill('SIGTERM');
  const answered = await sent;
  expect((await ended(child)).code).toBe(0);
  expect(await recorded()).toEqual(answered.sort());
  expect((await payrun(['audit'], shop)).code).toBe(0);
});

test('a server that is killed keeps what it has answered, and what it has not may be sent again', async () => {
  const { shop, key, newKey, recorded } = await opened();
  const first = await serve(shop);
  const sent = send(first.url, key, ids(25));
  await once(first.child.stderr!, 'data');
  first.child.kill('SIGKILL');
  const answered = await sent;
  for (const id of answered) expect(await recorded()).toContain(id);
  const second = await serve(shop);
  await send(second.url, await newKey(), ids(25));
  expect(await recorded()).toEqual(ids(25));
  second.child.kill('SIGTERM');
  await ended(second.child);
  expect((await payrun(['audit'], shop)).code).toBe(0);
});

test('connections that the database cuts are opened anew, and no answer is lost or doubled', async () => {
  const { db, shop, key, recorded } = await opened();
  const { child, url } = await serve(shop);
  expect(await send(url, key, ['R-1'])).toEqual(['R-1']);
  await db.session(({ client }) =>
    client.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and application_name like 'payrun%'",
    ),
  );
  let again: string[] = [];
  for (let tries = 0; tries < 5 && again.length === 0; tries += 1) again = await send(url, key, ['R-2']);
  expect(await recorded()).toEqual(['R-1', 'R-2']);
  child.kill('SIGTERM');
  expect((await ended(child)).code).toBe(0);
});

test('an address that can’t be listened at is refused with what to do', async () => {
  const { shop } = await opened();
  const { child, url } = await serve(shop);
  const { port } = new URL(url);
  const second = await payrun(['serve', '--port', port], shop);
  expect([second.code, second.stderr]).toEqual([2, expect.stringContaining('Take another --port')]);
  expect((await payrun(['serve', '--port', '99999'], shop)).code).toBe(2);
  child.kill('SIGTERM');
  await ended(child);
});
