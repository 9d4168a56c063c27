import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PayrunError } from '../src/errors.ts';
import { type Noun, newId, newIdPrefix, parseId, prefixes, readId, showId } from '../src/ids.ts';
import { holds } from './support/property.ts';

const noun = fc.constantFrom(...(Object.keys(prefixes) as Noun[]));
const day = new Date('2026-03-02T03:00:00.123Z');

describe('the form in which ids are shown', () => {
  test('is read back as the same id, for every noun and also in capitals', async () => {
    await holds(
      fc.property(noun, fc.uuid(), (what, id) => {
        const shown = showId(what, id);
        expect(shown).toMatch(new RegExp(`^${prefixes[what]}_[0-9a-hjkmnp-tv-z]{26}$`));
        expect(readId(shown)).toEqual({ noun: what, id });
        expect(readId(` ${shown.toUpperCase()} `)).toEqual({ noun: what, id });
        expect(readId(id.toUpperCase())).toEqual({ noun: undefined, id });
        expect([parseId(what, shown), parseId(what, id)]).toEqual([id, id]);
      }),
    );
  });

  test('is TypeID: the examples of its specification', () => {
    expect(readId('run_00000000000000000000000000')?.id).toBe('00000000-0000-0000-0000-000000000000');
    expect(readId('run_7zzzzzzzzzzzzzzzzzzzzzzzzz')?.id).toBe('ffffffff-ffff-ffff-ffff-ffffffffffff');
    expect(showId('run', '01890a5d-ac96-774b-bcce-b302099a8057')).toBe('run_01h455vb4pex5vsknk084sn02q');
  });

  test('is no id with a wrong length, letter, prefix or more than 128 bits', () => {
    const digits = '01h455vb4pex5vsknk084sn02q';
    expect(readId(`run_${digits}`)).toBeDefined();
    for (const text of [
      `run_${digits}0`,
      `run_${digits.slice(1)}`,
      `run_8${digits.slice(1)}`,
      `run_${digits.replace('h', 'l')}`,
      `ruin_${digits}`,
      `toString_${digits}`,
      `_${digits}`,
      digits,
      '01890a5d-ac96-774b-bcce-b302099a805',
      '',
    ])
      expect([text, readId(text)]).toEqual([text, undefined]);
  });

  test('an id of something else is refused with the prefix that is wanted', () => {
    const payout = showId('payout', newId(day));
    expect(() => parseId('commission', payout)).toThrowError(PayrunError);
    expect(() => parseId('commission', payout)).toThrowError(
      expect.objectContaining({ code: 'usage', found: payout, todo: expect.stringContaining('"com_"') }),
    );
  });
});

describe('new ids', () => {
  test('are UUIDs of version 7 that begin with the moment they were made', async () => {
    await holds(
      fc.property(
        fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }),
        (moment) => {
          const id = newId(moment);
          expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
          expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(moment.getTime());
        },
      ),
    );
  });

  test('differ, also within one millisecond', () => {
    const ids = Array.from({ length: 10_000 }, () => newId(day));
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('of a numbered batch sort in the order of its rows', () => {
    const prefix = newIdPrefix(day);
    expect(prefix).toMatch(/^[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{5}$/);
    const ids = [1, 9, 10, 255, 256, 50_000_000].map((n) => prefix + n.toString(16).padStart(10, '0'));
    expect(ids.every((id) => id.length === 32)).toBe(true);
    expect([...ids].sort()).toEqual(ids);
  });
});
