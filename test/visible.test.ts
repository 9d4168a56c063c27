import { expect, test } from 'vitest';
import { visible, visibleInLine, visibleJson } from '../src/visible.ts';

const planted = 'a\u001b[2J\u001b]0;x\u0007\u009b31m\u202eDSU\u2066\u200b\r\t\u007fb\nc';

test('what steers a terminal or hides itself becomes something that can be seen', () => {
  expect(visible(planted)).toBe('a␛[2J␛]0;x␇<U+009B>31m<U+202E>DSU<U+2066><U+200B>␍␉␡b\nc');
  expect(visibleInLine(planted)).toBe(visible(planted).replace('\n', '␊'));
});

test('what is only unusual stays as it is', () => {
  const names = ['Zoë', 'Zoe\u0308', '山田太郎', 'ﾊﾝｶｸ', 'می\u200cخواهم', '👩\u200d👧', '\u00a0', 'Ünal'];
  expect(names.map(visibleInLine)).toEqual(names);
});

test('every C0, C1 and bidi control is visible, and stays so when it is made visible again', () => {
  const codes = [...range(0, 0x1f), ...range(0x7f, 0x9f), ...range(0x202a, 0x202e), ...range(0x2066, 0x2069)];
  for (const code of codes) {
    const shown = visibleInLine(String.fromCharCode(code));
    expect(shown).toMatch(/^([␀-␟␡]|<U\+[0-9A-F]{4}>)$/u);
    expect(visibleInLine(shown)).toBe(shown);
  }
});

test('a JSON document stays the same document', () => {
  const data = { [planted]: [planted] };
  const document = visibleJson(JSON.stringify(data, null, 2));
  expect(document).toBe(visible(document));
  expect(JSON.parse(document)).toEqual(data);
});

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
