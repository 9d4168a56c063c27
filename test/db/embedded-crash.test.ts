import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chown, cp, mkdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { joinEmbedded, keepEmbedded } from '../../src/db/embedded.ts';
import {
  embeddedPlace,
  expectGone,
  killEverything,
  member,
  postmasterPid,
  query,
  remains,
  settings,
} from './embedded-place.ts';

const place = embeddedPlace();

describe('the embedded server, after a crash', { timeout: 120_000 }, () => {
  it('keeps its data when everything is killed, also when its port is taken meanwhile', async () => {
    const killed = await member(place);
    await query(killed.url, 'create table kept as select 42 as answer');
    await killEverything(place, killed.url);
    killed.child.kill('SIGKILL');
    const squatter = createServer((socket) => socket.destroy()).listen(
      Number(new URL(killed.url).port),
      '127.0.0.1',
    );
    await once(squatter, 'listening');
    try {
      const server = await joinEmbedded(place.folder, { settings });
      expect(await query(server.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
      await server.release();
      await expectGone(place, server.url);
    } finally {
      squatter.close();
    }
  });

  it('starts with a stale pid file whose pid belongs to another process now', async () => {
    const before = await joinEmbedded(place.folder, { settings });
    const pidFile = path.join(place.folder, 'data', 'postmaster.pid');
    const lines = (await readFile(pidFile, 'utf8')).split('\n');
    await before.release();

    const { uid, gid } = await stat(path.join(place.folder, 'data'));
    const unrelated = spawn('sleep', ['600'], { uid, gid });
    place.children.push(unrelated);
    await once(unrelated, 'spawn');
    await writeFile(pidFile, [unrelated.pid, ...lines.slice(1)].join('\n'), { mode: 0o600 });
    await chown(pidFile, uid, gid);

    const server = await joinEmbedded(place.folder, { settings });
    expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await server.release();
    expect(unrelated.exitCode).toBe(null);
  });

  it('starts with a pid file that a crash left empty', async () => {
    await (await joinEmbedded(place.folder, { settings })).release();
    const pidFile = path.join(place.folder, 'data', 'postmaster.pid');
    await writeFile(pidFile, '');
    await utimes(pidFile, 0, 0);
    const server = await joinEmbedded(place.folder, { settings });
    await server.release();
    await expectGone(place, server.url);
  });

  it('outlives a member that was killed, and is stopped by the next that leaves', async () => {
    const killed = await member(place);
    killed.child.kill('SIGKILL');
    await once(killed.child, 'exit');
    const pid = await postmasterPid(place);

    const server = await joinEmbedded(place.folder, { settings });
    expect(await postmasterPid(place)).toBe(pid);
    await server.release();
    await expectGone(place, server.url);
  });

  it('lets a member leave that has lost it', async () => {
    const server = await joinEmbedded(place.folder, { settings });
    await killEverything(place, server.url);
    await server.release();
  });

  it('sweeps up what a killed first start has left behind', async () => {
    const dead = spawnSync(process.execPath, ['--version']).pid;
    await mkdir(path.join(place.folder, `data.${dead}.0123456789ab`, 'base'), { recursive: true });
    await writeFile(path.join(place.folder, `data.${dead}.0123456789ab.password`), 'secret');
    const server = await joinEmbedded(place.folder, { settings });
    expect(await remains(place)).toEqual([]);
    await server.release();
  });

  it('gives a copy of a workspace a server of its own while the original runs', async () => {
    const original = await joinEmbedded(place.folder, { settings });
    await query(original.url, 'create table copied as select 1 as n');
    await query(original.url, 'checkpoint');
    const copy = path.join(place.base, 'copy');
    place.folders.push(copy);
    await cp(place.folder, copy, { recursive: true });

    const server = await joinEmbedded(copy, { settings });
    expect(new URL(server.url).port).not.toBe(new URL(original.url).port);
    await query(server.url, 'update copied set n = 2');
    expect(await query(original.url, 'select n from copied')).toEqual([{ n: 1 }]);
    await server.release();
    await original.release();
  });

  it('is no longer kept up: the next start is an ordinary one', async () => {
    const kept = await keepEmbedded(place.folder, { settings });
    await killEverything(place, kept.url);
    const server = await joinEmbedded(place.folder, { settings });
    await server.release();
    await expectGone(place, server.url);
  });
});
