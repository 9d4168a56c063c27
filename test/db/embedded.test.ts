import { stat } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { joinEmbedded, keepEmbedded, stopEmbedded } from '../../src/db/embedded.ts';
import {
  embeddedPlace,
  expectGone,
  member,
  postmasterPid,
  query,
  remains,
  settings,
} from './embedded-place.ts';

const place = embeddedPlace();

describe('the embedded server', { timeout: 120_000 }, () => {
  it('is created on the first start, on loopback only, with a password that only its owner can read', async () => {
    let firstStarts = 0;
    const onFirstStart = () => {
      firstStarts += 1;
    };
    const server = await joinEmbedded(place.folder, { settings, onFirstStart });
    expect(server.url).toMatch(/^postgres:\/\/payrun:[\w-]{32,}@127\.0\.0\.1:\d+\/payrun$/);
    expect(await show(server.url)).toEqual({
      addresses: '127.0.0.1',
      sockets: '',
      fsync: 'off',
      buffers: '16MB',
      jit: 'off',
      zone: 'UTC',
      encoding: 'UTF8',
      collation: 'C',
      authentication: 'scram-sha-256',
    });
    const wrong = new URL(server.url);
    wrong.password = 'guess';
    await expect(query(wrong.href, 'select 1')).rejects.toThrow(/password authentication failed/);
    expect((await stat(place.folder)).mode & 0o077).toBe(0);
    expect((await stat(path.join(place.folder, 'data', 'password'))).mode & 0o077).toBe(0);
    await server.release();

    const again = await joinEmbedded(place.folder, { settings, onFirstStart });
    await again.release();
    expect(firstStarts).toBe(1);
  });

  it('is shared by all who join, and is gone when the last has left', async () => {
    const first = await joinEmbedded(place.folder, { settings });
    const second = await joinEmbedded(place.folder, { settings });
    const pid = await postmasterPid(place);
    expect(second.url).toBe(first.url);

    await first.release();
    await first.release();
    expect(await postmasterPid(place)).toBe(pid);
    expect(await query(second.url, 'select 1 as one')).toEqual([{ one: 1 }]);

    await second.release();
    await expectGone(place, second.url);
  });

  it('is one server for two processes that start at the same moment in a fresh folder', async () => {
    const [first, second] = await Promise.all([member(place), member(place)]);
    expect(first.url).toBe(second.url);
    await query(first.url, 'create table seen (n int)');
    expect(await query(second.url, 'select from seen')).toEqual([]);
    expect(await remains(place)).toEqual([]);

    await Promise.all([first.leave(), second.leave()]);
    await expectGone(place, first.url);
  });

  it('is never pulled from under one who has joined, however many come and go', async () => {
    const rounds = async () => {
      for (let round = 0; round < 8; round += 1) {
        const server = await joinEmbedded(place.folder, { settings });
        expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
        await server.release();
      }
    };
    await Promise.all([rounds(), rounds(), rounds()]);
    await expect(postmasterPid(place)).rejects.toThrow(/ENOENT/);
  });

  it('can be joined by the next while the last is still leaving', async () => {
    let server = await joinEmbedded(place.folder, { settings });
    for (let round = 0; round < 5; round += 1) {
      const [next] = await Promise.all([joinEmbedded(place.folder, { settings }), server.release()]);
      expect(await query(next.url, 'select 1 as one')).toEqual([{ one: 1 }]);
      server = next;
    }
    await server.release();
    await expectGone(place, server.url);
  });
});

describe('keeping the server up', { timeout: 120_000 }, () => {
  it('lasts until it is stopped, which says whether one was running', async () => {
    const kept = await keepEmbedded(place.folder, { settings });
    expect(kept).toMatchObject({ pid: await postmasterPid(place), alreadyRunning: false });
    expect(await keepEmbedded(place.folder, { settings })).toEqual({ ...kept, alreadyRunning: true });

    const server = await joinEmbedded(place.folder, { settings });
    expect(server.url).toBe(kept.url);
    await server.release();
    expect(await postmasterPid(place)).toBe(kept.pid);

    expect(await stopEmbedded(place.folder)).toBe(true);
    await expectGone(place, kept.url);
    expect(await stopEmbedded(place.folder)).toBe(false);
    expect(await stopEmbedded(path.join(place.base, 'nowhere'))).toBe(false);
  });

  it('is not stopped under those who use it, unless by force', async () => {
    const server = await joinEmbedded(place.folder, { settings });
    const other = await joinEmbedded(place.folder, { settings });
    await expect(stopEmbedded(place.folder)).rejects.toMatchObject({
      code: 'state',
      message: '2 other processes use the embedded database, so it was not stopped.',
    });
    expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);

    expect(await stopEmbedded(place.folder, { force: true })).toBe(true);
    await expectGone(place, server.url);
    await Promise.all([server.release(), other.release()]);
  });
});

async function show(url: string): Promise<unknown> {
  const [row] = await query(
    url,
    `select current_setting('listen_addresses') as addresses, current_setting('unix_socket_directories') as sockets,
            current_setting('fsync') as fsync, current_setting('shared_buffers') as buffers,
            current_setting('jit') as jit, current_setting('timezone') as zone,
            (select string_agg(distinct auth_method, ',') from pg_hba_file_rules) as authentication,
            pg_encoding_to_char(encoding) as encoding, datcollate as collation
       from pg_database where datname = current_database()`,
  );
  return row;
}
