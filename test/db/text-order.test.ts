import fc from 'fast-check';
import { expect, test } from 'vitest';
import { orderOf } from '../../src/db/text-order.ts';
import { holds } from '../support/property.ts';

/** The places in the order of the texts, as the engine compares them; equal ones as they came. */
function ordered(texts: string[]): number[] {
  return [...texts.keys()].sort((one, other) => {
    if (texts[one] === texts[other]) return one - other;
    return texts[one]! < texts[other]! ? -1 : 1;
  });
}

test('texts are put in order, whatever they begin with and whatever is in them', async () => {
  const unit = fc.oneof(
    fc.constantFrom('a', 'b', '9', ' ', '~', '\u007f', '\t', '\0', 'é', '𝔘'),
    fc.string({ unit: 'binary', maxLength: 1 }),
  );
  const texts = fc.array(fc.string({ unit, maxLength: 8 }), { maxLength: 60 });
  await holds(
    fc.property(fc.string({ unit, maxLength: 9 }), texts, (start, ends) => {
      const all = ends.map((end) => start + end);
      expect([...orderOf(all)]).toEqual(ordered(all));
    }),
  );
});

test('more texts than one number can tell apart are put in order too', () => {
  const texts = Array.from({ length: 2 ** 19 + 1 }, (_, n) => `${(n * 7919) % 1009}`);
  expect(
    Buffer.from(orderOf(texts).buffer).equals(Buffer.from(Uint32Array.from(ordered(texts)).buffer)),
  ).toBe(true);
});
