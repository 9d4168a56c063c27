import { chmod, mkdir, readFile, rm, stat, symlink, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { faultsOfInbox, importFile, importInbox } from '../../src/imports/import.ts';
import type { InboxFile } from '../../src/imports/inbox.ts';
import { takeInbox } from '../../src/imports/inbox.ts';
import type { Outcome, Work } from '../../src/runs/work.ts';
import { booked } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import type { Desk } from '../support/desk.ts';
import { emptyFolder } from '../support/folder.ts';
import { deskOfAnn, filesIn, header } from './ann.ts';

const { db } = await testDatabase();
const sources = [
  { ref: 'offline', kind: 'sales_csv' },
  { ref: 'shop', kind: 'sales_csv' },
];
const sale = (id: string) => `${header}\n${id},ann,1.00,USD,2026-01-10\n`;
/** A file system of its own on most machines; elsewhere there is no way to have another one without asking. */
const shm = '/dev/shm';
const isOther = await stat(shm).then(
  async ({ dev }) => dev !== (await stat(await emptyFolder())).dev,
  () => false,
);

/** A desk with two good files in the inbox, a.csv and z.csv, and room for a bad one between them. */
async function deskWithGoodFiles(): Promise<Desk> {
  const desk = await deskOfAnn(db, { sources });
  await mkdir(path.join(desk.workspace, 'inbox', 'offline'), { recursive: true });
  await desk.put('inbox/offline/a.csv', sale('s-a'));
  await desk.put('inbox/offline/z.csv', sale('s-z'));
  return desk;
}

const filesOf = (outcome: Outcome) => (outcome.report as { files: InboxFile[] }).files;
const bookedIds = async (desk: Desk) => [...(await booked(desk.world)).keys()].sort();

/** Takes the inbox while `before` happens right before the file of that name is imported. */
async function takeWhile(desk: Desk, name: string, before: (file: string) => Promise<void>) {
  const work: Work = desk.work();
  return takeInbox(work, 'sales', async (file, source) => {
    if (path.basename(file) === name) await before(file);
    return importFile(work, { kind: 'sales', file, source });
  });
}

describe('a bad entry of the inbox costs itself only, and is refused by name', () => {
  const bad: [string, string, (at: string, desk: Desk) => Promise<void>][] = [
    [
      'a link that leads nowhere',
      'This is a link that leads nowhere.',
      (at) => symlink('/nowhere/at/all', at),
    ],
    ['a link to itself', 'This is a link that leads nowhere.', (at) => symlink(at, at)],
    [
      'a link that leaves the workspace',
      'This is a link that leaves the workspace.',
      async (at) => {
        const secret = path.join(await emptyFolder(), 'secret.csv');
        await writeFile(secret, `${header}\nsecret,nobody,1.00,USD,2026-01-10\n`);
        await symlink(secret, at);
      },
    ],
    [
      'a link to a folder',
      'This is no ordinary file.',
      (at, { workspace }) => symlink(`${workspace}/inbox/offline`, at),
    ],
  ];
  test.each(bad)('%s', async (_, sentence, make) => {
    const desk = await deskWithGoodFiles();
    await make(path.join(desk.workspace, 'inbox/offline/m.csv'), desk);
    expect((await faultsOfInbox(desk.work().context.config)).map(({ message }) => message)).toEqual([
      sentence,
    ]);
    const outcome = await importInbox(desk.work(), 'sales');
    expect(outcome).toMatchObject({ exitCode: 3, counts: { files: 3, refused: 1, left_in_inbox: 0 } });
    expect(filesOf(outcome).map(({ file, moved_to, error }) => [file, moved_to, error])).toEqual([
      ['inbox/offline/a.csv', 'archive/offline/a.csv', null],
      ['inbox/offline/m.csv', 'rejects/offline/m.csv', sentence],
      ['inbox/offline/z.csv', 'archive/offline/z.csv', null],
    ]);
    expect(await bookedIds(desk)).toEqual(['s-a', 's-z']);
    expect(await filesIn(desk, 'rejects')).toEqual(['offline/m.csv.outcome.json']);
  });

  test('a file that vanishes before it is read, and one that vanishes once it is imported', async () => {
    const desk = await deskWithGoodFiles();
    await desk.put('inbox/offline/m.csv', sale('s-m'));
    const gone = await takeWhile(desk, 'a.csv', () =>
      unlink(path.join(desk.workspace, 'inbox/offline/m.csv')),
    );
    expect(filesOf(gone).map(({ moved_to, error }) => [moved_to, error])).toEqual([
      ['archive/offline/a.csv', null],
      [null, 'The file was there when the run began, and is gone.'],
      ['archive/offline/z.csv', null],
    ]);
    expect(gone.exitCode).toBe(3);

    await desk.put('inbox/offline/n.csv', sale('s-n'));
    const work = desk.work();
    const after = await takeInbox(work, 'sales', async (file, source) => {
      const outcome = await importFile(work, { kind: 'sales', file, source });
      await unlink(file);
      return outcome;
    });
    expect(filesOf(after)).toMatchObject([{ moved_to: null, error: null, counts: { recorded: 1 } }]);
    expect(await bookedIds(desk)).toEqual(['s-a', 's-n', 's-z']);
  });

  test('a link within the workspace is a file like any other', async () => {
    const desk = await deskWithGoodFiles();
    await desk.put('march.csv', sale('s-m'));
    await symlink('../../march.csv', path.join(desk.workspace, 'inbox/offline/m.csv'));
    expect((await importInbox(desk.work(), 'sales')).counts).toMatchObject({ files: 3, refused: 0 });
    expect(await bookedIds(desk)).toEqual(['s-a', 's-m', 's-z']);
    expect((await stat(path.join(desk.workspace, 'march.csv'))).mode & 0o777).toBe(0o644);
  });
});

describe('a folder that can’t be used is told, and costs only what needs it', () => {
  test('a source’s folder that is none is not an empty one: the other sources are imported, and the run failed', async () => {
    const desk = await deskOfAnn(db, { sources });
    await mkdir(path.join(desk.workspace, 'inbox/shop'), { recursive: true });
    await desk.put('inbox/offline', 'a file where a folder should be');
    await desk.put('inbox/shop/a.csv', sale('s-a'));
    const outcome = await importInbox(desk.work(), 'sales');
    expect(outcome).toMatchObject({ exitCode: 1, counts: { files: 1 } });
    expect(outcome.message).toMatch(/^A part of the path "inbox\/offline\/" is a file, not a folder\. /);
    expect(await bookedIds(desk)).toEqual(['s-a']);
  });

  test('a source’s folder that is a link out of the workspace is not looked into', async () => {
    const desk = await deskOfAnn(db, { sources });
    await mkdir(path.join(desk.workspace, 'inbox'));
    const elsewhere = await emptyFolder();
    await writeFile(path.join(elsewhere, 'a.csv'), sale('s-a'));
    await symlink(elsewhere, path.join(desk.workspace, 'inbox/offline'));
    const outcome = await importInbox(desk.work(), 'sales');
    expect(outcome).toMatchObject({ exitCode: 1, counts: { files: 0 } });
    expect(outcome.message).toContain('inbox/offline/ is a link that leaves the workspace.');
  });

  test('rejects/ that can’t be written costs the file with rejected rows, which stays, and nothing of it is recorded', async () => {
    const desk = await deskWithGoodFiles();
    await desk.put('inbox/offline/m.csv', `${sale('s-m')}s-n,nobody,1.00,USD,2026-01-10\n`);
    await desk.put('rejects', 'a file where a folder should be');
    const outcome = await importInbox(desk.work(), 'sales');
    expect(outcome).toMatchObject({ exitCode: 1, counts: { files: 3, refused: 0, left_in_inbox: 1 } });
    expect(outcome.message).toContain('"rejects/" is there already, and in the way.');
    expect(filesOf(outcome)[1]).toMatchObject({
      file: 'inbox/offline/m.csv',
      moved_to: null,
      report: null,
      error: null,
      left: '"rejects/" is there already, and in the way.',
    });
    expect(await bookedIds(desk)).toEqual(['s-a', 's-z']);
    expect(await filesIn(desk, 'inbox')).toEqual(['offline/m.csv']);
    // Once it can be written, the next night takes the file.
    await rm(path.join(desk.workspace, 'rejects'));
    expect(await importInbox(desk.work(), 'sales')).toMatchObject({ exitCode: 3, counts: { files: 1 } });
    expect(await bookedIds(desk)).toEqual(['s-a', 's-m', 's-z']);
  });

  test('archive/ that can’t be written leaves the files, which are recorded once all the same', async () => {
    const desk = await deskWithGoodFiles();
    await desk.put('archive', 'a file where a folder should be');
    for (const _ of ['the first night', 'the second']) {
      const outcome = await importInbox(desk.work(), 'sales');
      expect(outcome).toMatchObject({ exitCode: 1, counts: { files: 2, left_in_inbox: 2 } });
      expect(outcome.message).toMatch(/^(A part of the path )?"archive\/offline\/" is [^\n]+$/);
    }
    await rm(path.join(desk.workspace, 'archive'));
    expect((await importInbox(desk.work(), 'sales')).exitCode).toBeUndefined();
    expect(await filesIn(desk, 'inbox')).toEqual([]);
    expect(await bookedIds(desk)).toEqual(['s-a', 's-z']);
  });
});

describe.runIf(isOther)('an archive on another file system', () => {
  const made: string[] = [];
  afterAll(() => Promise.all(made.map((one) => rm(one, { recursive: true, force: true }))));

  async function deskWithFarArchive(): Promise<Desk> {
    const desk = await deskWithGoodFiles();
    const far = path.join(shm, `payrun-test-${process.pid}-${path.basename(desk.workspace)}`);
    await mkdir(far);
    made.push(far);
    await symlink(far, path.join(desk.workspace, 'archive'));
    return desk;
  }

  test('takes the files as copies, with nothing left in the inbox, and overwrites nothing', async () => {
    const desk = await deskWithFarArchive();
    await importInbox(desk.work(), 'sales');
    await desk.put('inbox/offline/a.csv', sale('s-b'));
    expect(await importInbox(desk.work(), 'sales')).toMatchObject({ counts: { files: 1, left_in_inbox: 0 } });
    expect(await filesIn(desk, 'inbox')).toEqual([]);
    const archive = path.join(desk.workspace, 'archive/offline');
    expect(await readFile(path.join(archive, 'a.csv'), 'utf8')).toBe(sale('s-a'));
    expect(await readFile(path.join(archive, 'a.2.csv'), 'utf8')).toBe(sale('s-b'));
    expect((await stat(path.join(archive, 'a.csv'))).mode & 0o777).toBe(0o600);
    expect((await filesIn(desk, 'archive/offline')).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});

test('what is put away may be read by its owner alone, or by the group that payrun.json lets in', async () => {
  for (const [fileMode, file, folder] of [
    [0o600, 0o600, 0o700],
    [0o640, 0o640, 0o750],
  ] as const) {
    const desk = await deskWithGoodFiles();
    await desk.put('inbox/offline/m.csv', `${header}\ns-n,nobody,1.00,USD,2026-01-10\n`);
    await desk.put('inbox/offline/n.csv', '');
    await chmod(path.join(desk.workspace, 'inbox/offline/a.csv'), 0o666);
    await importInbox(desk.work({ fileMode }), 'sales');
    const modeOf = async (name: string) => (await stat(path.join(desk.workspace, name))).mode & 0o777;
    for (const where of ['archive', 'rejects']) {
      const names = await filesIn(desk, where);
      expect(names.length).toBeGreaterThan(1);
      for (const name of names) expect([name, await modeOf(`${where}/${name}`)]).toEqual([name, file]);
      for (const one of [where, `${where}/offline`]) expect([one, await modeOf(one)]).toEqual([one, folder]);
    }
  }
});
