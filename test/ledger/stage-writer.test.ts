import { expect, test } from 'vitest';
import { newIdPrefix } from '../../src/ids.ts';
import { StageWriter } from '../../src/ledger/stage-writer.ts';

const many = 25_000;

function writerOf(rows: number, note: string): StageWriter {
  const writer = new StageWriter(['externalId', 'note'], newIdPrefix(new Date(0)));
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
