import { readdirSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { PayrunError } from '../../src/errors.ts';
import type { ImportOutcome, Kind } from '../../src/imports/import.ts';
import { testDatabase } from '../support/database.ts';
import type { Desk } from '../support/desk.ts';
import { ledgerOf } from '../support/ledger-of.ts';
import { holds } from '../support/property.ts';
import { deskOfAnn } from './ann.ts';

const { db } = await testDatabase();
const folder = fileURLToPath(new URL('../../fixtures/imports/', import.meta.url));
const files = readdirSync(folder)
  .filter((name) => !name.endsWith('.json'))
  .map((name) => ({ name, bytes: readFileSync(path.join(folder, name)) }));

/** Bytes that mean something to one of the readers: ends of lines, quotes, braces, marks, halves of characters. */
const telling = [
  0, 9, 10, 13, 34, 39, 40, 44, 45, 46, 48, 57, 59, 61, 91, 92, 101, 123, 125, 0xc3, 0xd8, 0xef, 0xff,
];
const byte = fc.oneof(fc.constantFrom(...telling), fc.nat(255));
const change = fc.record({
  at: fc.nat(),
  /** How many bytes are left out there, and which ones come instead. */
  cut: fc.oneof(fc.constantFrom(0, 1), fc.nat(40)),
  put: fc.array(byte, { maxLength: 3 }),
});
const spoilt = fc
  .tuple(fc.constantFrom(...files), fc.array(change, { minLength: 1, maxLength: 6 }))
  .map(([file, changes]) => ({ name: file.name, bytes: changes.reduce(changed, file.bytes) }));

function changed(bytes: Buffer, { at, cut, put }: { at: number; cut: number; put: number[] }): Buffer {
  const place = at % (bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, place), Buffer.from(put), bytes.subarray(place + cut)]);
}

test('whatever happened to its bytes, a file lands with every row accounted for, or is refused and leaves nothing', async () => {
  const ends = new Set<string>();
  await holds(
    fc.asyncProperty(spoilt, async ({ name, bytes }) => {
      const desk = await deskOfAnn(db);
      const kind: Kind = name.includes('.ndjson') ? 'events' : 'sales';
      const before = await ledgerOf(desk.world);
      const seen = await ended(desk, kind, name, bytes, true);
      expect(await ledgerOf(desk.world)).toEqual(before);
      const landed = await ended(desk, kind, name, bytes, false);
      ends.add(landed instanceof PayrunError ? 'refused' : 'landed');
      if (landed instanceof PayrunError || seen instanceof PayrunError) {
        expect([landed, seen].map((one) => one instanceof PayrunError && one.code)).toEqual([
          'file-refused',
          'file-refused',
        ]);
        expect(await ledgerOf(desk.world)).toEqual(before);
        expect(await readdir(path.join(desk.workspace, 'rejects')).catch(() => [])).toEqual([]);
        return;
      }
      expect(landed.counts).toEqual(seen.counts);
      const { rows, ...counts } = landed.counts;
      expect(Object.values(counts).reduce((sum, count) => sum + count)).toBe(rows);
      const after = await ledgerOf(desk.world);
      await desk.land(kind, bytes, { name, again: true });
      expect(await ledgerOf(desk.world)).toEqual(after);
    }),
    60,
  );
  expect([...ends].sort()).toEqual(['landed', 'refused']);
});

/** How an import ends, and its report as the run keeps it; anything else than a refusal is a defect. */
async function ended(
  desk: Desk,
  kind: Kind,
  name: string,
  bytes: Buffer,
  dryRun: boolean,
): Promise<ImportOutcome | PayrunError> {
  try {
    const landed = await desk.land(kind, bytes, { name, dryRun });
    await sql`select ${JSON.stringify(landed)}::jsonb`.execute(db.sql);
    return landed;
  } catch (cause) {
    if (cause instanceof PayrunError) return cause;
    throw cause;
  }
}
