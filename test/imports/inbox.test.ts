import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { importFile, importInbox } from '../../src/imports/import.ts';
import type { InboxFile } from '../../src/imports/inbox.ts';
import { createLog } from '../../src/log.ts';
import type { Outcome } from '../../src/runs/work.ts';
import { booked } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import type { Desk } from '../support/desk.ts';
import { deskOfAnn, filesIn, header, importsOf } from './ann.ts';

const { db } = await testDatabase();
const sources = [
  { ref: 'offline', kind: 'sales_csv' },
  { ref: 'shop', kind: 'sales_csv', id_prefix: 'shop:' },
  { ref: 'log', kind: 'affonso_events' },
];

/** The files that were moved to a folder; each has its outcome beside it, which is left out here. */
async function moved(desk: Desk, folder: string): Promise<string[]> {
  const names = (await filesIn(desk, folder)).filter((name) => !/imp_\w+\.\w+$/.test(name));
  const files = names.filter((name) => !name.endsWith('.outcome.json'));
  expect(names.filter((name) => !files.includes(name))).toEqual(
    files.map((name) => `${name}.outcome.json`).sort(),
  );
  return files;
}

/** A desk with three sources, and these files in its inbox, by their path there. */
async function deskWithInbox(files: Record<string, string>): Promise<Desk> {
  const desk = await deskOfAnn(db, { sources });
  for (const [name, text] of Object.entries(files)) await drop(desk, name, text);
  return desk;
}

async function drop(desk: Desk, name: string, text: string): Promise<void> {
  const file = path.join(desk.workspace, 'inbox', name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
}

async function take(desk: Desk, kind: 'sales' | 'events' = 'sales', dryRun = false) {
  return taken(await importInbox(desk.work({ dryRun }), kind));
}

function taken(outcome: Outcome) {
  const { files } = outcome.report as { files: InboxFile[] };
  return {
    ...outcome,
    files: files.map((file) => [file.file, file.moved_to, file.counts.recorded ?? file.error]),
  };
}

const sale = (id: string) => `${header}\n${id},ann,1.00,USD,2026-01-10\n`;

describe('the files of the inbox', () => {
  test('are imported by the source of their folder in order of name, and moved to archive; bad ones to rejects, and the rest goes on', async () => {
    const desk = await deskWithInbox({
      'offline/2.csv': sale('s-2'),
      'offline/1.csv': `${header}\ns-1,ann,"1.00,USD,2026-01-10\n`,
      'offline/3.csv': `${header}\ns-3,nobody,1.00,USD,2026-01-10\n`,
      'shop/a.csv': `${sale('s-2')}\n`,
      'log/events.ndjson': '{}\n',
      'unknown/b.csv': sale('s-9'),
    });
    const taken = await take(desk);
    expect(taken).toMatchObject({ counts: { files: 4, refused: 1 }, exitCode: 3 });
    expect(taken.files).toEqual([
      [
        'inbox/offline/1.csv',
        'rejects/offline/1.csv',
        'A quote that opens in this record is never closed. (line 2)',
      ],
      ['inbox/offline/2.csv', 'archive/offline/2.csv', 1],
      ['inbox/offline/3.csv', 'archive/offline/3.csv', 0],
      ['inbox/shop/a.csv', 'archive/shop/a.csv', 1],
    ]);
    expect([...(await booked(desk.world)).keys()]).toEqual(['s-2', 'shop:s-2']);
    expect(await filesIn(desk, 'inbox')).toEqual(['log/events.ndjson', 'unknown/b.csv']);
    expect(await moved(desk, 'archive')).toEqual(['offline/2.csv', 'offline/3.csv', 'shop/a.csv']);
    expect(await moved(desk, 'rejects')).toEqual(['offline/1.csv']);
    expect(await filesIn(desk, 'rejects')).toContainEqual(expect.stringMatching(/^imp_\w+\.csv$/));
    expect((await take(desk, 'events')).files).toEqual([
      ['inbox/log/events.ndjson', 'archive/log/events.ndjson', 0],
    ]);
  });

  test('have their outcome beside them: counts, money and report, or why they were refused', async () => {
    const desk = await deskWithInbox({ 'offline/a.csv': sale('s-1'), 'offline/b.csv': '' });
    await take(desk);
    const outcome = async (file: string) =>
      JSON.parse(await readFile(path.join(desk.workspace, `${file}.outcome.json`), 'utf8'));
    expect(await outcome('archive/offline/a.csv')).toMatchObject({
      file: 'inbox/offline/a.csv',
      moved_to: 'archive/offline/a.csv',
      counts: { rows: 1, recorded: 1 },
      report: { already_imported: null },
      error: null,
    });
    expect(await outcome('rejects/offline/b.csv')).toMatchObject({
      counts: {},
      report: null,
      error: 'The file is empty.',
    });
  });

  test('that are still being written are left: hidden ones, .part and .tmp, and folders', async () => {
    const names = ['offline/.hidden.csv', 'offline/a.csv.part', 'offline/b.tmp', 'offline/folder/c.csv'];
    const desk = await deskWithInbox(Object.fromEntries(names.map((name) => [name, sale('s-1')])));
    expect(await take(desk)).toMatchObject({ counts: { files: 0, refused: 0 }, files: [] });
    expect(await filesIn(desk, 'inbox')).toEqual(names.map((name) => name));
    expect((await booked(desk.world)).size).toBe(0);
  });

  test('never overwrite one of the same name that came before: they get a number', async () => {
    const desk = await deskWithInbox({});
    for (const id of ['s-1', 's-2', 's-3']) {
      await drop(desk, 'offline/daily.csv', sale(id));
      await drop(desk, 'offline/bad.csv', '');
      await take(desk);
    }
    expect(await moved(desk, 'archive')).toEqual([
      'offline/daily.2.csv',
      'offline/daily.3.csv',
      'offline/daily.csv',
    ]);
    expect(await moved(desk, 'rejects')).toEqual([
      'offline/bad.2.csv',
      'offline/bad.3.csv',
      'offline/bad.csv',
    ]);
    const kept = await readFile(path.join(desk.workspace, 'archive/offline/daily.2.csv'), 'utf8');
    expect(kept).toBe(sale('s-2'));
  });

  test('that were imported when the process was killed before moving them are only moved', async () => {
    const desk = await deskWithInbox({ 'offline/a.csv': sale('s-1') });
    const file = path.join(desk.workspace, 'inbox/offline/a.csv');
    await importFile(desk.work(), { kind: 'sales', file, source: 'offline' });
    expect(await filesIn(desk, 'inbox')).toEqual(['offline/a.csv']);
    expect(await take(desk)).toMatchObject({ files: [['inbox/offline/a.csv', 'archive/offline/a.csv', 0]] });
    expect(await importsOf(desk)).toHaveLength(1);
  });

  test('stay where they are in a dry run, which says what would become of them', async () => {
    const desk = await deskWithInbox({ 'offline/a.csv': sale('s-1'), 'offline/b.csv': '' });
    const taken = await take(desk, 'sales', true);
    expect(taken.files).toEqual([
      ['inbox/offline/a.csv', null, 1],
      ['inbox/offline/b.csv', null, 'The file is empty.'],
    ]);
    expect(await filesIn(desk, 'inbox')).toEqual(['offline/a.csv', 'offline/b.csv']);
    expect([
      (await booked(desk.world)).size,
      await filesIn(desk, 'archive'),
      await filesIn(desk, 'rejects'),
    ]).toEqual([0, [], []]);
  });

  test('that belong to no source stay, and each is told by name with what to do, once a night', async () => {
    const desk = await deskWithInbox({
      'stray.csv': sale('s-1'),
      'a.csv.part': sale('s-1'),
      '.DS_Store': '',
      'ofline/1.csv': sale('s-1'),
      'ofline/2.csv': sale('s-2'),
      'ofline/.hidden': '',
      'old/2025/1.csv': sale('s-3'),
      'offline/1.csv': sale('s-4'),
      'log/.keep': '',
    });
    await mkdir(path.join(desk.workspace, 'inbox', 'empty'));
    const warnings = [
      'inbox/ofline/ belongs to no source and holds 2 files that no run imports: add the source "ofline" to payrun.json, or rename the folder to one of its sources; it has offline, shop, log',
      'inbox/old/ belongs to no source and holds a file that no run imports: add the source "old" to payrun.json, or rename the folder to one of its sources; it has offline, shop, log',
      'inbox/stray.csv belongs to no source and is not imported: move it into the folder of a source of payrun.json; it has offline, shop, log',
    ];
    const lines: string[] = [];
    const work = desk.work();
    work.context.log = createLog({ write: (line) => void lines.push(line) });
    const night = [await importInbox(work, 'sales'), await importInbox(work, 'events')];
    expect(night.map(({ report }) => report)).toMatchObject([
      { files: [{ moved_to: 'archive/offline/1.csv' }], warnings },
      { files: [] },
    ]);
    expect(lines.filter((line) => line.includes('belongs to no source'))).toEqual(
      warnings.map((warning) => expect.stringContaining(` warn  ${warning}\n`)),
    );
    expect(await filesIn(desk, 'inbox')).not.toContain('offline/1.csv');
    expect(await filesIn(desk, 'inbox')).toHaveLength(8);
  });

  test('that belong to no source are told by the job of events where the account has no sales', async () => {
    const desk = await deskOfAnn(db, { sources: [{ ref: 'log', kind: 'affonso_events' }] });
    await drop(desk, 'stray.csv', sale('s-1'));
    const warnings = async (kind: 'sales' | 'events') => (await importInbox(desk.work(), kind)).report;
    expect(await warnings('sales')).toEqual({ files: [] });
    expect(await warnings('events')).toMatchObject({
      warnings: [expect.stringContaining('inbox/stray.csv')],
    });
  });

  test('are left when it is not their fault: without the configured source in the database nothing is moved', async () => {
    const desk = await deskWithInbox({ 'offline/a.csv': sale('s-1') });
    await db.sql.deleteFrom('source').where('account_id', '=', desk.world.accountId).execute();
    await expect(take(desk)).rejects.toMatchObject({ code: 'config-not-applied' });
    expect(await filesIn(desk, 'inbox')).toEqual(['offline/a.csv']);
  });
});

test('an empty inbox, or none, is a quiet night', async () => {
  const desk = await deskOfAnn(db, { sources });
  expect(await take(desk)).toEqual({
    counts: { files: 0, refused: 0, left_in_inbox: 0 },
    totals: {},
    report: { files: [] },
    files: [],
  });
});
