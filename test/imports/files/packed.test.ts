import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { strToU8, zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { PayrunError } from '../../../src/errors.ts';
import { logLines } from '../../../src/imports/files/ndjson.ts';
import { type InputFile, withInputFile } from '../../../src/imports/files/open.ts';
import { readCsv } from '../../../src/imports/files/records.ts';
import { limitsOf } from '../../../src/limits.ts';
import { emptyFolder } from '../../support/folder.ts';
import { holds } from '../../support/property.ts';
import { textRow, workbookFile } from './workbook-file.ts';

const folder = await emptyFolder();

const text = `id,amount\n${Array.from({ length: 50 }, (_, n) => `INV-${n},${n}.00\n`).join('')}`;
const zip = (content: string | Uint8Array, name = 'sales.csv', level: 0 | 6 = 6) =>
  Buffer.from(zipSync({ [name]: [typeof content === 'string' ? strToU8(content) : content, { level }] }));
const workbook = workbookFile({
  sheets: {
    Sales: `${textRow(1, ['id', 'amount', 'when'])}<row r="2"><c r="A2" t="s"><v>0</v></c><c r="B2" s="1"><v>0.5</v></c><c r="C2" s="2"><v>46143</v></c></row>`,
  },
  formats: ['0%', 'yyyy-mm-dd'],
  strings: ['INV-1'],
});

async function withBytes<T>(bytes: Buffer, work: (file: InputFile) => Promise<T>, limits = {}): Promise<T> {
  const file = path.join(folder, 'file');
  await writeFile(file, bytes);
  return withInputFile(file, new AbortController().signal, work, limitsOf(limits));
}

async function cellsOf(file: InputFile): Promise<string[][]> {
  const csv = await readCsv(file, undefined);
  const cells = [csv.header];
  for await (const group of csv.groups) cells.push(...group.map((record) => record.cells));
  return cells;
}

async function linesOf(file: InputFile): Promise<string[]> {
  const lines: string[] = [];
  for await (const group of logLines(file.read(), file)) lines.push(...group.map((line) => line.text));
  return lines;
}

const forms: [string, Buffer][] = [
  ['text', Buffer.from(text)],
  ['gzip', gzipSync(text)],
  ['zip', zip(text)],
  ['zip without compression', zip(text, 'sales.csv', 0)],
  ['workbook', workbook],
];
/** Longer than the pieces in which files are read, of which none is like another. */
const long = Array.from({ length: 100_000 }, (_, n) => `INV-${n},${n}.00\n`).join('');

describe('a file', () => {
  test.each([...forms, ['long text', Buffer.from(long)] as const])(
    'is known by the sha256 of the bytes that were given: %s',
    async (_, bytes) => {
      const expected = createHash('sha256').update(bytes).digest('hex');
      expect(await withBytes(bytes, async (file) => [file.sha256, file.bytes])).toEqual([
        expected,
        bytes.length,
      ]);
    },
  );

  test('has the same rows however it is packed', async () => {
    const plain = await withBytes(Buffer.from(text), cellsOf);
    for (const [, bytes] of forms.slice(1, 4)) expect(await withBytes(bytes, cellsOf)).toEqual(plain);
  });

  test('tells how much of it was read, so that progress ends at its end', async () => {
    for (const [, bytes] of forms) {
      let read = 0;
      await withBytes(bytes, async (file) => {
        const csv = await readCsv(file, {
          onBytes: (count) => {
            read += count;
          },
        });
        for await (const _ of csv.groups);
      });
      expect(Math.round(read)).toBe(bytes.length);
    }
  });

  test('of a log comes through the same doors', async () => {
    const log = '{"a":1}\n{"a":2}\n';
    for (const bytes of [Buffer.from(log), gzipSync(log), zip(log)])
      expect(await withBytes(bytes, linesOf)).toEqual(['{"a":1}', '{"a":2}']);
  });
});

describe('a file with more than its source allows is refused, and the message says which limit', () => {
  const megabytes = Buffer.alloc(3 << 20, 'x,y\n');
  test.each<[string, Buffer, Record<string, number>, string]>([
    ['file_bytes', Buffer.from(text), { file_bytes: 100 }, 'The file has more than 100 bytes.'],
    ['unpacked_bytes', gzipSync(text), { unpacked_bytes: 100 }, 'It unpacks to more than 100 bytes.'],
    ['unpacked_bytes', zip(text), { unpacked_bytes: 100 }, 'It unpacks to more than 100 bytes.'],
    ['expansion', gzipSync(megabytes), {}, 'It unpacks to more than 200 times its size'],
    ['expansion', zip(megabytes), {}, 'It unpacks to more than 200 times its size'],
    ['rows', Buffer.from(text), { rows: 49 }, 'The file has more than 49 rows.'],
    [
      'record_bytes',
      Buffer.from(`${text}"${'x'.repeat(200)}",1\n`),
      { record_bytes: 99 },
      'longer than 99 bytes',
    ],
    [
      'field_length',
      Buffer.from(`${text}${'x'.repeat(200)},1\n`),
      { field_length: 199 },
      'Cell 1 of this record has more than 199 characters.',
    ],
  ])('%s', async (limit, bytes, limits, sentence) => {
    await expect(withBytes(bytes, cellsOf, limits)).rejects.toMatchObject({
      code: 'file-refused',
      message: expect.stringContaining(sentence),
      todo: expect.stringContaining(`raise "${limit}"`),
    });
  });

  test('rows and record_bytes of a log too', async () => {
    const log = Buffer.from('{"a":1}\n{"a":2}\n');
    await expect(withBytes(log, linesOf, { rows: 1 })).rejects.toThrow('more than 1 rows');
    await expect(withBytes(log, linesOf, { record_bytes: 6 })).rejects.toThrow('longer than 6 bytes');
  });

  test('and what just fits is read', async () => {
    const limits = { file_bytes: text.length, rows: 50, record_bytes: 20, field_length: 6 };
    expect(await withBytes(Buffer.from(text), cellsOf, limits)).toHaveLength(51);
    expect(await withBytes(gzipSync(megabytes), cellsOf, { expansion: 2000 })).not.toHaveLength(0);
  });
});

test('a flipped bit in a stored file is seen by its check sum', async () => {
  const bytes = zip(text, 'sales.csv', 0);
  const at = bytes.indexOf('INV-7,7.00') + 6;
  bytes[at] = '9'.charCodeAt(0);
  await expect(withBytes(bytes, cellsOf)).rejects.toThrow('The zip file or workbook is damaged or cut off.');
});

test('a zip that promises a small file and holds a large one is refused', async () => {
  const bytes = zip(Buffer.alloc(1 << 20, 'a,b\n'));
  const directory = bytes.indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
  bytes.writeUInt32LE(10, directory + 24);
  await expect(withBytes(bytes, cellsOf)).rejects.toThrow('damaged or cut off');
});

test('a file that was cut or had bits flipped is read or refused in words', async () => {
  const damage = fc.record({
    form: fc.integer({ min: 1, max: forms.length - 1 }),
    cut: fc.option(fc.nat(2_000)),
    flips: fc.array(fc.tuple(fc.nat(2_000), fc.nat(7)), { maxLength: 3 }),
  });
  await holds(
    fc.asyncProperty(damage, async ({ form, cut, flips }) => {
      const whole = forms[form]![1];
      const bytes = Buffer.from(whole.subarray(0, cut === null ? whole.length : cut % whole.length));
      for (const [at, bit] of flips) if (bytes.length > 0) bytes[at % bytes.length]! ^= 1 << bit;
      const read = await withBytes(bytes, cellsOf).catch((cause: unknown) => cause);
      if (read instanceof PayrunError) expect(read.code).toBe('file-refused');
      // Whatever is read of an archive passed its check sums; what is none any more is text, and has other columns.
      else if (isPacked(bytes)) expect(read).toEqual(await withBytes(whole, cellsOf));
      else expect(Array.isArray(read), String(read)).toBe(true);
    }),
    300,
  );
});

function isPacked(bytes: Buffer): boolean {
  return ['1f8b', '504b0304'].some((start) => bytes.toString('hex').startsWith(start));
}
