import fc from 'fast-check';
import { friendlyFormatIBAN } from 'ibantools';
import { expect, test } from 'vitest';
import { isEmail, readDestination } from '../../../src/imports/values/destination.ts';

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
const iban = 'DE89370400440532013000';

test('PayPal takes an e-mail address or a PayerID', () => {
  for (const text of ['ada@example.com', 'WDJJHEBZ4X2LY']) expect(readDestination('paypal', text)).toBe(text);
  for (const text of ['', 'ada', 'wdjjhebz4x2ly', 'WDJJHEBZ4X2L', 'WDJJHEBZ4X2LYZ', iban])
    expect(readDestination('paypal', text)).toBeUndefined();
});

test('Wise takes an e-mail address, an IBAN or the number of a saved recipient', () => {
  for (const text of ['ada@example.com', iban, '148563324']) expect(readDestination('wise', text)).toBe(text);
  expect(readDestination('wise', 'gb29 nwbk 6016 1331 9268 19')).toBe('GB29NWBK60161331926819');
  for (const text of ['', 'Ada Lovelace', 'DE00370400440532013000', '14-85'])
    expect(readDestination('wise', text)).toBeUndefined();
});

test('SEPA takes an IBAN, however it is grouped, and keeps it without spaces and in capitals', () => {
  for (const text of [iban, friendlyFormatIBAN(iban)!, 'de89-3704-0044-0532-0130-00'])
    expect(readDestination('sepa', text)).toBe(iban);
  for (const text of ['', iban.slice(0, -1), `${iban}0`, 'ada@example.com', '021000021:12345'])
    expect(readDestination('sepa', text)).toBeUndefined();
});

test('an IBAN in which one digit was mistyped, or two neighbours swapped, is found out', () => {
  console.log(`seed ${seed}`);
  const digits = [...iban].slice(2);
  fc.assert(
    fc.property(fc.nat(digits.length - 1), fc.integer({ min: 1, max: 9 }), (at, by) => {
      const typo = digits.with(at, String((Number(digits[at]) + by) % 10));
      expect(readDestination('sepa', `DE${typo.join('')}`)).toBeUndefined();
    }),
    { seed },
  );
  fc.assert(
    fc.property(fc.nat(digits.length - 2), (at) => {
      const swapped = digits.with(at, digits[at + 1]!).with(at + 1, digits[at]!);
      fc.pre(swapped.join('') !== digits.join(''));
      expect(readDestination('sepa', `DE${swapped.join('')}`)).toBeUndefined();
    }),
    { seed },
  );
});

test('ACH takes a routing number with a right check digit and an account of at most 17 characters', () => {
  for (const text of ['021000021:123456789', '011401533:00-12345678901234', '121000248:1'])
    expect(readDestination('ach', text)).toBe(text);
  const wrong = [
    '',
    '021000021',
    '021000021:',
    '021000022:123456789',
    '000000000:123456789',
    '21000021:123456789',
    '021000021:123456789012345678',
    '021000021:12 34',
    '021000021 123456789',
  ];
  for (const text of wrong) expect(readDestination('ach', text)).toBeUndefined();
});

test('a routing number in which one digit was mistyped is found out', () => {
  const digits = [...'021000021'];
  for (let at = 0; at < digits.length; at += 1) {
    for (let by = 1; by <= 9; by += 1) {
      const typo = digits.with(at, String((Number(digits[at]) + by) % 10)).join('');
      expect(readDestination('ach', `${typo}:1`), typo).toBeUndefined();
    }
  }
});

test('manual payment takes any text', () => {
  expect(readDestination('manual', 'cash, at the office')).toBe('cash, at the office');
  expect(readDestination('manual', '')).toBeUndefined();
});

test('e-mail addresses of any script are known, and what only looks like one is not', () => {
  const right = [
    'ada@example.com',
    'ada.lovelace+payouts@mail.example.co.uk',
    "o'brien@example.ie",
    'info@müller.de',
    'käthe@bücher.example',
    'x_y-z=1@xn--mller-kva.de',
    'someone@例え.テスト',
  ];
  for (const text of right) expect(isEmail(text), text).toBe(true);
  const wrong = [
    'ada',
    'ada@',
    '@example.com',
    'ada@example',
    'ada@@example.com',
    'ada@exa mple.com',
    'ada @example.com',
    '.ada@example.com',
    'ada.@example.com',
    'a..da@example.com',
    'ada@-example.com',
    'ada@example-.com',
    'ada@example..com',
    'ada@127.0.0.1',
    'Ada <ada@example.com>',
    'ada@example.com, bob@example.com',
    'ada@example.com;bob@example.com',
    `${'a'.repeat(65)}@example.com`,
    `ada@${'example.'.repeat(32)}com`,
  ];
  for (const text of wrong) expect(isEmail(text), text).toBe(false);
});
