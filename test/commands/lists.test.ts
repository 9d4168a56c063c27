import { expect, test } from 'vitest';
import { answerList, type List } from '../../src/commands/lists.ts';
import { createPaint } from '../../src/commands/paint.ts';
import type { Shell } from '../../src/commands/shell.ts';
import { readPage } from '../../src/db/pages.ts';

const names = Array.from({ length: 120 }, (_, n) => `p-${String(n).padStart(3, '0')}`);

const partners: List<string> = {
  name: 'partners',
  columns: { partner: (row) => row, note: (row) => (row === 'p-000' ? '=1+1' : null), owed: () => '-5.00' },
  read: ({ after = '', limit }) =>
    readPage(
      { limit },
      (row) => row,
      async (atMost) => names.filter((name) => name > after).slice(0, atMost),
    ),
  describe: (_, rows) => rows.join('\n'),
};

/** A shell that keeps what it was told to print at once. */
function shellOf(json: boolean) {
  const printed: string[] = [];
  const shell = {
    globals: () => ({ json }),
    data: (text: string) => void printed.push(text),
  } as unknown as Shell;
  return { shell, printed };
}

test('a page says behind which row the next one begins, and the last page nothing', async () => {
  const { shell } = shellOf(false);
  const first = await answerList(shell, { limit: '2' }, partners);
  expect(first.text(createPaint(false))).toBe('p-000\np-001\n\nMore: --after p-001');
  expect(first.data).toMatchObject({ next: 'p-001', partners: [{ partner: 'p-000' }, { partner: 'p-001' }] });
  const last = await answerList(shell, { after: 'p-118' }, partners);
  expect(last.text(createPaint(false))).toBe('p-119');
  expect(last.data).toMatchObject({ next: null });
});

test('CSV is the whole list unless it is limited, with nothing for a spreadsheet to run', async () => {
  const all = shellOf(false);
  await answerList(all.shell, { csv: true }, partners);
  const lines = all.printed.join('\n').split('\n');
  expect(lines.slice(0, 3)).toEqual(['partner,note,owed', "p-000,'=1+1,-5.00", 'p-001,,-5.00']);
  expect(lines.length).toBe(1 + names.length);
  const some = shellOf(false);
  await answerList(some.shell, { csv: true, limit: '2' }, partners);
  expect(some.printed.join('\n').split('\n').length).toBe(3);
});

test('JSON and CSV at once are refused', async () => {
  await expect(answerList(shellOf(true).shell, { csv: true }, partners)).rejects.toThrow('either');
});
