import { expect, test } from 'vitest';
import { canonicalJson, identityOf } from '../../src/runs/identity.ts';

const asOf = new Date('2026-03-02T03:00:00Z');

test('a slot is the identity of a scheduled run, whatever its parameters', () => {
  const slot = new Date('2026-03-02T01:00:00Z');
  expect(identityOf({ slot, parameters: { a: 1 }, asOf })).toBe('slot 2026-03-02T01:00:00.000Z');
});

test('by hand the parameters and the moment are the identity, in whatever order the parameters come', () => {
  const one = identityOf({ parameters: { a: 1, b: { c: [1, 2], d: null } }, asOf });
  expect(identityOf({ parameters: { b: { d: null, c: [1, 2] }, a: 1 }, asOf })).toBe(one);
  expect(identityOf({ parameters: { a: 1, b: { c: [2, 1], d: null } }, asOf })).not.toBe(one);
  expect(identityOf({ parameters: {}, asOf: new Date(0) })).not.toBe(identityOf({ parameters: {}, asOf }));
});

test('a step is told apart by its parent', () => {
  const step = (parentId: string) => identityOf({ parentId, parameters: {}, asOf });
  expect(step('a')).not.toBe(step('b'));
});

test('long parameters become a hash, and still differ', () => {
  const long = (end: string) => identityOf({ parameters: { files: 'x'.repeat(5000) + end }, asOf });
  expect(long('1').length).toBeLessThan(100);
  expect(long('1')).toBe(long('1'));
  expect(long('1')).not.toBe(long('2'));
});

test('JSON keeps bigints and dates as text', () => {
  expect(canonicalJson({ b: 2n ** 63n, a: asOf })).toBe(
    '{"a":"2026-03-02T03:00:00.000Z","b":"9223372036854775808"}',
  );
});
