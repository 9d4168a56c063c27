import { spawnSync } from 'node:child_process';
import { watch } from 'node:fs';
import { chown, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { joinEmbedded } from '../../src/db/embedded.ts';
import { embeddedPlace, expectGone, member, postmasterPid, query, settings } from './embedded-place.ts';

const isRoot = process.getuid?.() === 0;
const nobody = 65534;
const strangerCanRun = isRoot && spawnSync(process.execPath, ['--version'], { uid: nobody }).status === 0;

const place = embeddedPlace();

describe('an embedded server that does not start', { timeout: 120_000 }, () => {
  it('names its log and shows the fatal line', async () => {
    await expect(joinEmbedded(place.folder, { settings: { work_mem: 'plenty' } })).rejects.toMatchObject({
      code: 'database-embedded',
      place: { file: path.join(place.folder, 'server.log') },
      found: expect.stringContaining('FATAL:  invalid value for parameter "work_mem": "plenty"'),
    });
  });

  it('says so when the folder cannot be one', async () => {
    await writeFile(place.folder, 'a file');
    await expect(joinEmbedded(place.folder, { settings })).rejects.toMatchObject({
      code: 'database-embedded',
      place: { file: place.folder },
    });
    place.folders = [];
  });

  it('leaves a folder alone that holds something else', async () => {
    await mkdir(path.join(place.folder, 'data'), { recursive: true });
    await writeFile(path.join(place.folder, 'data', 'precious.txt'), 'mine');
    await expect(joinEmbedded(place.folder, { settings })).rejects.toMatchObject({
      code: 'database-embedded',
      place: { file: path.join(place.folder, 'data') },
    });
    expect(await readFile(path.join(place.folder, 'data', 'precious.txt'), 'utf8')).toBe('mine');
  });

  it('can be interrupted while it is created, and leaves nothing behind', async () => {
    await mkdir(place.folder);
    const controller = new AbortController();
    const begins = watch(place.folder, (_, file) => {
      if (/^data\.\d+\.[0-9a-f]+$/.test(file ?? '')) controller.abort();
    });
    try {
      await expect(joinEmbedded(place.folder, { settings, signal: controller.signal })).rejects.toMatchObject(
        {
          code: 'interrupted',
        },
      );
    } finally {
      begins.close();
    }
    expect(await readdir(place.folder)).toEqual(['server.log']);

    const server = await joinEmbedded(place.folder, { settings });
    await server.release();
  });

  it('can be interrupted while it starts, and is not left running', async () => {
    await (await joinEmbedded(place.folder, { settings })).release();
    const controller = new AbortController();
    const starts = watch(path.join(place.folder, 'data'), (_, file) => {
      if (file === 'postmaster.pid') controller.abort();
    });
    try {
      await expect(joinEmbedded(place.folder, { settings, signal: controller.signal })).rejects.toMatchObject(
        {
          code: 'interrupted',
        },
      );
    } finally {
      starts.close();
    }
    await expect(postmasterPid(place)).rejects.toThrow(/ENOENT/);
  });
});

describe.skipIf(!isRoot)('started by root', { timeout: 120_000 }, () => {
  it('runs as another user, also below a folder that is closed to that user', async () => {
    expect((await stat(place.base)).mode & 0o777).toBe(0o700);
    expect((await stat(place.base)).uid).toBe(0);
    const server = await joinEmbedded(place.folder, { settings });
    const owner = (await stat(path.join(place.folder, 'data'))).uid;
    expect(owner).not.toBe(0);
    expect((await stat(`/proc/${await postmasterPid(place)}`)).uid).toBe(owner);
    await server.release();
    await expectGone(place, server.url);
  });

  it('runs as the user who owns the folder already', async () => {
    await mkdir(place.folder);
    await chown(place.folder, nobody, nobody);
    const server = await joinEmbedded(place.folder, { settings });
    expect((await stat(path.join(place.folder, 'data'))).uid).toBe(nobody);
    expect((await stat(path.join(place.folder, 'server.log'))).uid).toBe(nobody);
    await server.release();
  });
});

describe.skipIf(!strangerCanRun)('started by an ordinary user', { timeout: 120_000 }, () => {
  it('runs as that user', async () => {
    const own = path.join(place.base, 'own');
    await mkdir(own);
    await chown(own, nobody, nobody);
    await chown(place.base, nobody, nobody);
    place.folder = path.join(own, 'postgres');
    place.folders.push(place.folder);
    const started = await member(place, nobody);
    expect((await stat(path.join(place.folder, 'data'))).uid).toBe(nobody);
    expect(await query(started.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await started.leave();
    await expectGone(place, started.url);
  });
});
