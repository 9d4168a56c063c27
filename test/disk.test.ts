import type { FileHandle } from 'node:fs/promises';
import { mkdtemp, open, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { folderMode, makeFolder, moveToNew, renameToNew, replaceFile, writeNew } from '../src/disk.ts';
import { emptyFolder } from './support/folder.ts';

/** A file system of its own on most machines. */
const shm = '/dev/shm';
const isOther = await stat(shm).then(
  async ({ dev }) => dev !== (await stat(await emptyFolder())).dev,
  () => false,
);

afterEach(() => vi.restoreAllMocks());

/** Watches what is flushed to disk, and what the folder (and `other`) held then; the flushing is done all the same. */
async function flushesOf(folder: string, other?: string) {
  const handle = await open(folder);
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  const flushed: { file: string; names: string[]; others?: string[] }[] = [];
  const real = prototype.sync;
  vi.spyOn(prototype, 'sync').mockImplementation(async function (this: FileHandle) {
    const file = path.relative(folder, await readlink(`/proc/self/fd/${this.fd}`));
    const names = (await readdir(folder)).sort();
    flushed.push({ file, names, ...(other && { others: await readdir(other) }) });
    return real.call(this);
  });
  return flushed;
}

async function folderWith(files: Record<string, string>): Promise<string> {
  const folder = await emptyFolder();
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
  return folder;
}

const textOf = (folder: string, name: string) => readFile(path.join(folder, name), 'utf8');

describe('a new name never takes the place of what has it', () => {
  const moves: [string, (folder: string) => Promise<boolean>][] = [
    ['renamed', (folder) => renameToNew(path.join(folder, 'new'), path.join(folder, 'taken'))],
    [
      'moved',
      (folder) =>
        moveToNew(path.join(folder, 'new'), path.join(folder, 'taken'), {
          temporary: path.join(folder, '.part'),
          fileMode: 0o600,
        }),
    ],
  ];
  test.each(moves)('%s: both files are as they were, and the answer says so', async (_, move) => {
    const folder = await folderWith({ new: 'new', taken: 'taken' });
    expect(await move(folder)).toBe(false);
    expect(await readdir(folder)).toEqual(['new', 'taken']);
    expect([await textOf(folder, 'new'), await textOf(folder, 'taken')]).toEqual(['new', 'taken']);
  });

  test('also where it leads nowhere', async () => {
    const folder = await folderWith({ new: 'new' });
    await symlink('/nowhere', path.join(folder, 'taken'));
    expect(await renameToNew(path.join(folder, 'new'), path.join(folder, 'taken'))).toBe(false);
    expect(await readlink(path.join(folder, 'taken'))).toBe('/nowhere');
  });

  test('and a new file is never written into another', async () => {
    const folder = await folderWith({ taken: 'taken' });
    const write = writeNew(path.join(folder, 'taken'), 0o600, (handle) => handle.writeFile('new'));
    await expect(write).rejects.toMatchObject({ code: 'EEXIST' });
    expect(await textOf(folder, 'taken')).toBe('taken');
  });
});

describe.runIf(process.platform === 'linux')('what is on disk stays there when the power goes', () => {
  test('a new file is flushed when it is written, and gone when it could not be', async () => {
    const folder = await emptyFolder();
    const flushed = await flushesOf(folder);
    await writeNew(path.join(folder, 'a'), 0o600, (handle) => handle.writeFile('text'));
    expect(flushed).toEqual([{ file: 'a', names: ['a'] }]);
    const broken = writeNew(path.join(folder, 'b'), 0o600, () => Promise.reject(new Error('broken')));
    await expect(broken).rejects.toThrow('broken');
    expect(await readdir(folder)).toEqual(['a']);
  });

  test('a file that moves has its folder flushed under the new name', async () => {
    const folder = await folderWith({ a: 'text' });
    const flushed = await flushesOf(folder);
    await moveToNew(path.join(folder, 'a'), path.join(folder, 'b'), { temporary: '', fileMode: 0o600 });
    expect(flushed).toEqual([{ file: '', names: ['b'] }]);
  });

  test.runIf(isOther)(
    'a copy on another file system is flushed, and its folder too, before the file goes from the old place',
    async () => {
      const [near, far] = [await folderWith({ a: 'text' }), await mkdtemp(path.join(shm, 'payrun-test-'))];
      try {
        const flushed = await flushesOf(far, near);
        const moving = { temporary: path.join(far, '.part'), fileMode: 0o600 };
        expect(await moveToNew(path.join(near, 'a'), path.join(far, 'b'), moving)).toBe(true);
        expect(flushed).toEqual([
          { file: '.part', names: ['.part'], others: ['a'] },
          { file: '', names: ['b'], others: ['a'] },
        ]);
        expect([await readdir(near), await textOf(far, 'b')]).toEqual([[], 'text']);
      } finally {
        await rm(far, { recursive: true });
      }
    },
  );

  test('a file that is replaced is flushed before it takes the name, keeps its rights, and the folder is flushed', async () => {
    const folder = await emptyFolder();
    await writeNew(path.join(folder, 'a'), 0o640, (handle) => handle.writeFile('old'));
    const flushed = await flushesOf(folder);
    await replaceFile(path.join(folder, 'a'), 'new');
    expect(flushed).toEqual([
      { file: expect.stringMatching(/^\.a\..*\.part$/), names: [expect.stringMatching(/^\.a\./), 'a'] },
      { file: '', names: ['a'] },
    ]);
    expect([await textOf(folder, 'a'), (await stat(path.join(folder, 'a'))).mode & 0o777]).toEqual([
      'new',
      0o640,
    ]);
  });
});

test('folders and files have the rights that are asked for, whatever the umask, and folders keep what they hand on', async () => {
  const folder = await emptyFolder();
  const before = process.umask(0o077);
  try {
    expect(await makeFolder(path.join(folder, 'a/b'), 0o660)).toBe(true);
    expect(await makeFolder(path.join(folder, 'a/b'), 0o600)).toBe(false);
    await writeNew(path.join(folder, 'a/file'), 0o640, (handle) => handle.writeFile(''));
  } finally {
    process.umask(before);
  }
  const modeOf = async (name: string) => (await stat(path.join(folder, name))).mode & 0o7777;
  expect([await modeOf('a'), await modeOf('a/b'), await modeOf('a/file')]).toEqual([0o770, 0o770, 0o640]);
  expect([0o600, 0o640, 0o660].map(folderMode)).toEqual([0o700, 0o750, 0o770]);
});
