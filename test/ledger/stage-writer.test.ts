import fc from 'fast-check';
import { expect, test } from 'vitest';
import { copyText } from '../../src/db/copy.ts';
import { newIdPrefix } from '../../src/ids.ts';
import { StageWriter } from '../../src/ledger/stage-writer.ts';
import { holds } from '../support/property.ts';

const many = 25_000;

function writerOf(rows: number, note: string): StageWriter {
  const writer = new StageWriter(newIdPrefix(new Date(0)));
  for (let n = 1; n <= rows; n += 1) writer.add({ n, line: n, externalId: `s-${n}`, note });
  return writer;
}

test('a packet is full when it has its rows', () => {
  expect(writerOf(99, 'trade fair').holds(100)).toBe(false);
  expect(writerOf(100, 'trade fair').holds(100)).toBe(true);
});

test('rows with long texts fill a packet before there are as many', () => {
  const note = 'n'.repeat(2_000);
  expect(writerOf(1_500, note).holds(many)).toBe(false);
  expect(writerOf(1_600, note).holds(many)).toBe(true);
});

test('what waits is nothing again when a packet was taken', () => {
  const writer = writerOf(2_000, 'n'.repeat(2_000));
  expect(writer.take().count).toBe(2_000);
  expect(writer.holds(many)).toBe(false);
});

const prefix = newIdPrefix(new Date(0));

/** The id and the line number of each sale, as they stand in the packet. */
function sent(writer: StageWriter): [id: string, line: number][] {
  const lines = writer.take().sales.toString().split('\n').slice(0, -1);
  return lines.map((line) => [line.split('\t')[0]!, Number(line.split('\t')[1])]);
}

/** The lines of external ids, the first in line 1, in their order: equal ones as they came. */
function sortedLines(ids: string[]): number[] {
  const places = ids.map((id, index) => ({ id, line: index + 1 }));
  return places
    .sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : a.line - b.line))
    .map(({ line }) => line);
}

test('sales are sent in the order of their external ids, under ids that count on from packet to packet', async () => {
  const ids = fc.array(fc.string({ unit: fc.constantFrom('a', 'B', '1', 'é', '𝔘', ' '), maxLength: 4 }), {
    maxLength: 40,
  });
  await holds(
    fc.property(ids, ids, (first, second) => {
      const writer = new StageWriter(prefix);
      let before = 0;
      for (const part of [first, second]) {
        for (const [index, externalId] of part.entries())
          writer.add({ n: index + 1, line: index + 1, externalId });
        const idAt = (place: number) => prefix + (before + place).toString(16).padStart(10, '0');
        expect(sent(writer)).toEqual(sortedLines(part).map((line, place) => [idAt(place), line]));
        before += part.length;
      }
    }),
  );
});

test('lines have the columns of what any sale so far had, and nothing where a sale does not have it', async () => {
  const text = fc.option(fc.string({ unit: fc.constantFrom('a', '\t', '\\', 'é', '\n'), maxLength: 3 }), {
    nil: undefined,
  });
  const sale = fc.record({ externalId: text, note: text, customerId: text, clickId: text });
  const columnOf = {
    externalId: 'external_id',
    note: 'note',
    customerId: 'customer_id',
    clickId: 'click_id',
  };
  await holds(
    fc.property(fc.array(fc.array(sale, { maxLength: 6 }), { maxLength: 4 }), (packets) => {
      const writer = new StageWriter(prefix);
      const met = new Set<string>();
      for (const sales of packets) {
        for (const [index, one] of sales.entries()) {
          writer.add({ n: index + 1, line: index + 1, ...one });
          for (const [field, value] of Object.entries(one)) if (value !== undefined) met.add(field);
        }
        const { columns, sales: copied } = writer.take();
        const ours = Object.entries(columnOf).filter(([field]) => met.has(field));
        expect(columns.slice(4).toSorted()).toEqual(ours.map(([, column]) => column).toSorted());
        const lines = copied.toString().split('\n').slice(0, -1);
        expect(lines).toHaveLength(sales.length);
        for (const line of lines) {
          const cells = line.split('\t');
          expect(cells).toHaveLength(columns.length);
          const given = sales[Number(cells[1]) - 1]!;
          for (const [field, column] of ours) {
            const value = given[field as keyof typeof columnOf];
            expect(cells[columns.indexOf(column)]).toBe(copyText(value) ?? '\\N');
          }
        }
      }
    }),
  );
});

test('a packet of 70,000 sales is in order too', () => {
  const ids = Array.from(
    { length: 70_000 },
    (_, n) => `s-${((n * 7919) % 70_000).toString().padStart(5, '0')}`,
  );
  const writer = new StageWriter(prefix);
  for (const [index, externalId] of ids.entries()) writer.add({ n: index + 1, line: index + 1, externalId });
  expect(sent(writer).map(([, line]) => line)).toEqual(sortedLines(ids));
});
