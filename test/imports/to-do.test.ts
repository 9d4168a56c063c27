import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { showId } from '../../src/ids.ts';
import { type ImportOutcome, listImports, toDoInImports, undoImport } from '../../src/imports/import.ts';
import { testDatabase } from '../support/database.ts';
import type { Desk } from '../support/desk.ts';
import { deskOfAnn } from './ann.ts';

const { db } = await testDatabase();
const head = 'external_id,affiliate,amount,currency,occurred_at';
const bad = (id: string) => `${id},nobody,1.00,USD,2026-01-10`;
const good = (id: string) => `${id},ann,1.00,USD,2026-01-10`;
const land = (desk: Desk, ...rows: string[]) => desk.land('sales', `${[head, ...rows].join('\n')}\n`);
const todo = (desk: Desk) => db.session((session) => toDoInImports(session, desk.world.accountId));

/** The rejects file of an import as a person corrects it: the rows of those ids get a partner who is known. */
async function corrected(desk: Desk, { report }: ImportOutcome, ...ids: string[]): Promise<string> {
  const text = await readFile(path.join(desk.workspace, report.rejects_file!), 'utf8');
  const lines = text
    .split('\n')
    .map((line) => (ids.some((id) => line.startsWith(`${id},`)) ? line.replace('nobody', 'ann') : line));
  return lines.join('\n');
}

test('rejected rows wait for a person until they are corrected and recorded', async () => {
  const desk = await deskOfAnn(db);
  expect(await todo(desk)).toEqual([]);
  const first = await land(desk, good('a'), bad('b'), bad('c'), bad('d'));
  expect(await todo(desk)).toMatchObject([
    { what: 'rejected_rows', count: 3, amounts: {}, command: `payrun imports show ${first.report.import}` },
  ]);
  const second = await desk.land('sales', await corrected(desk, first, 'b'));
  expect(second.counts).toMatchObject({ recorded: 1, rejected: 2 });
  expect(await todo(desk)).toMatchObject([{ count: 2 }]);
  const third = await land(desk, bad('e'));
  expect(await todo(desk)).toMatchObject([{ count: 3, command: 'payrun imports list --rejects' }]);
  const open = () => listImports(db.sql, desk.world.accountId, { limit: 10, isOpen: true });
  expect((await open()).map(({ id }) => showId('import', id)).sort()).toEqual(
    [first.report.import, third.report.import].sort(),
  );
  await desk.land('sales', await corrected(desk, second, 'c', 'd'));
  await desk.land('sales', await corrected(desk, third, 'e'));
  expect(await todo(desk)).toEqual([]);
  expect(await open()).toEqual([]);
});

test('whether the same rejects file comes back twice, or in parts, each row is settled once', async () => {
  const desk = await deskOfAnn(db);
  const first = await land(desk, bad('b'), bad('c'), bad('d'));
  await desk.land('sales', await corrected(desk, first, 'b'));
  await desk.land('sales', await corrected(desk, first, 'b', 'c'));
  expect(await todo(desk)).toMatchObject([{ count: 1 }]);
  await desk.land('sales', await corrected(desk, first, 'b', 'c', 'd'));
  expect(await todo(desk)).toEqual([]);

  const other = await deskOfAnn(db);
  const whole = await land(other, bad('b'), bad('c'), bad('d'));
  const lines = (await corrected(other, whole, 'b', 'c', 'd')).split('\n');
  await other.land('sales', [lines[0], lines[1], ''].join('\n'));
  expect(await todo(other)).toMatchObject([{ count: 2 }]);
  await other.land('sales', [lines[0], lines[2], lines[3], ''].join('\n'));
  expect(await todo(other)).toEqual([]);
});

test('a corrected row that is recorded already, out of another file, is settled as well', async () => {
  const desk = await deskOfAnn(db);
  const first = await land(desk, bad('b'), bad('c'));
  await land(desk, good('b'));
  const second = await desk.land('sales', await corrected(desk, first, 'b'));
  expect(second.counts).toMatchObject({ duplicates: 1, rejected: 1 });
  expect(await todo(desk)).toMatchObject([{ count: 1 }]);
});

test('the same file once more rejects the same rows, not others, and an import that was undone rejects none', async () => {
  const desk = await deskOfAnn(db);
  const text = `${head}\n${good('a')}\n${bad('b')}\n`;
  const first = await desk.land('sales', text);
  await db.sql
    .updateTable('import')
    .set({ finished_at: new Date('2026-02-01T00:00:00Z') })
    .where('account_id', '=', desk.world.accountId)
    .execute();
  await desk.land('sales', text, { again: true });
  expect(await todo(desk)).toMatchObject([{ count: 1 }]);
  const other = await deskOfAnn(db);
  await land(other, good('a'), bad('b'));
  const work = other.work();
  const [row] = await db.sql
    .selectFrom('import')
    .select('id')
    .where('account_id', '=', other.world.accountId)
    .where('rejects_file', 'is not', null)
    .execute();
  await undoImport(work, { importId: row!.id, by: 'Ada', reason: 'wrong file' });
  expect(await todo(other)).toEqual([]);
  expect(first.counts.rejected).toBe(1);
});
