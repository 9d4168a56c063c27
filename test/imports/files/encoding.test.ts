import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'csv-stringify/sync';
import fc from 'fast-check';
import iconv from 'iconv-lite';
import { describe, expect, test } from 'vitest';
import { type Encoding, encodings } from '../../../src/config-source.ts';
import { PayrunError } from '../../../src/errors.ts';
import { withInputFile } from '../../../src/imports/files/open.ts';
import { readCsv } from '../../../src/imports/files/records.ts';
import { emptyFolder } from '../../support/folder.ts';
import { holds } from '../../support/property.ts';

const folder = await emptyFolder();

const header = ['external_id', 'affiliate', 'note'];
const marks: Partial<Record<Encoding, number[]>> = {
  'utf-8': [0xef, 0xbb, 0xbf],
  'utf-16le': [0xff, 0xfe],
  'utf-16be': [0xfe, 0xff],
};

/** The cells of the CSV that `bytes` are, and how its encoding was found. */
async function cellsOf(bytes: Buffer, stated?: Encoding) {
  const file = path.join(folder, 'sales.csv');
  await writeFile(file, bytes);
  return withInputFile(file, new AbortController().signal, async (input) => {
    const text = input.as(stated);
    const csv = await readCsv(text);
    const cells: string[][] = [];
    for await (const group of csv.groups) cells.push(...group.map((record) => record.cells));
    return { header: csv.header, cells, by: text.encoding.by };
  });
}

// What both Windows-1252 and MacRoman can write; the quotes, marks and line breaks are what CSV stumbles over.
const letters = [...'abc XYZ019é€üßñ”–,;|"\'\t\n='];
const cell = fc.string({ unit: fc.constantFrom(...letters), maxLength: 12 });
const rows = fc.array(fc.tuple(fc.stringMatching(/^[A-Z]é[0-9]{1,4}$/), cell, cell), {
  minLength: 1,
  maxLength: 60,
});

test('a file that somebody writes to while it is read is refused, not read for what it is not', async () => {
  const file = path.join(folder, 'changing.csv');
  await writeFile(file, `${header.join()}\n${'é-1,ann,\n'.repeat(20_000)}`);
  const read = withInputFile(file, new AbortController().signal, async (input) => {
    await writeFile(file, Buffer.concat([Buffer.from(`${header.join()}\n`), Buffer.alloc(200_000, 0xe9)]));
    for await (const _ of input.read());
  });
  await expect(read).rejects.toThrow('The file was changed while it was read.');
});

describe('the same cells', () => {
  test('come out of every encoding, delimiter and line end', async () => {
    const layout = fc.record({
      encoding: fc.constantFrom(...encodings),
      delimiter: fc.constantFrom(',', ';', '\t', '|'),
      record_delimiter: fc.constantFrom('\n', '\r\n', '\r'),
      isMarked: fc.boolean(),
      isStated: fc.boolean(),
      // Beyond what is read at once, so that characters are cut by the borders.
      times: fc.constantFrom(1, 1, 200),
    });
    await holds(
      fc.asyncProperty(rows, layout, async (some, { encoding, isMarked, isStated, times, ...style }) => {
        const all = Array.from({ length: times }, () => some).flat();
        const text = stringify([header, ...all], { ...style, quoted_match: /[\r\n]/ });
        const mark = Buffer.from((isMarked && marks[encoding]) || []);
        // The library writes the euro of MacRoman as the sign for any currency, whose byte it took over.
        const written = encoding === 'macroman' ? text.replaceAll('€', '¤') : text;
        const bytes = Buffer.concat([mark, iconv.encode(written, encoding)]);
        const read = await cellsOf(bytes, isStated || encoding === 'macroman' ? encoding : undefined);
        expect(read.header).toEqual(header);
        expect(read.cells).toEqual(all);
      }),
    );
  });
});

describe('how the encoding was found', () => {
  const text = `${header.join(',')}\nA-1,ann,für\n`;

  test.each<[string, Buffer, Encoding | undefined, string]>([
    ['a mark says it, whatever the source states', Buffer.from(`\ufeff${text}`), 'macroman', 'mark'],
    ['else the source does', iconv.encode(text, 'macroman'), 'macroman', 'setting'],
    ['else the bytes, when they are UTF-8', Buffer.from(text), undefined, 'bytes'],
    ['or every second one is NUL', iconv.encode(text, 'utf-16le'), undefined, 'bytes'],
    ['else it is guessed', iconv.encode(text, 'windows-1252'), undefined, 'guess'],
  ])('%s', async (_, bytes, stated, by) => {
    expect(await cellsOf(bytes, stated)).toEqual({ header, cells: [['A-1', 'ann', 'für']], by });
  });
});

test('whatever the bytes, a file is read or refused, never half read without a word', async () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.array(fc.constantFrom(0, 10, 13, 34, 44, 59, 65, 195, 169, 255, 254), { maxLength: 300 }),
  );
  await holds(
    fc.asyncProperty(bytes, async (some) => {
      const read = await cellsOf(Buffer.from(some)).catch((cause: unknown) => cause);
      if (read instanceof PayrunError) expect(read.code).toBe('file-refused');
      else expect(read).toHaveProperty('cells');
    }),
  );
});
