import fc from 'fast-check';
import { expect, test } from 'vitest';
import { allPages, readPage } from '../../src/db/pages.ts';
import { holds } from '../support/property.ts';

test('pages of any length hold every row once and in order, and none follows the last', async () => {
  await holds(
    fc.asyncProperty(fc.uniqueArray(fc.nat(200)), fc.integer({ min: 1, max: 9 }), async (keys, limit) => {
      const rows = keys.sort((a, b) => a - b);
      const read = (after: string | undefined) =>
        readPage({ after, limit }, String, async (atMost) =>
          rows.filter((row) => after === undefined || row > Number(after)).slice(0, atMost),
        );
      const found: number[] = [];
      for await (const page of allPages(read)) {
        expect(page.rows.length).toBeLessThanOrEqual(limit);
        expect(page.next === null).toBe(page.rows.at(-1) === rows.at(-1));
        found.push(...page.rows);
      }
      expect(found).toEqual(rows);
    }),
  );
});
