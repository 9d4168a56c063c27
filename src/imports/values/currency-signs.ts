import { isOrWasCurrency } from '../../money.ts';

/** The currencies that people write each sign for; a sign that several have agrees with all of them. */
const signs: Record<string, string> = {
  $:
    'USD ARS AUD BBD BMD BND BSD BZD CAD CLP COP CUP DOP FJD GYD HKD JMD KYD LRD MXN NAD NZD SBD SGD SRD TTD TWD UYU ' +
    'XCD',
  US$: 'USD',
  A$: 'AUD',
  AU$: 'AUD',
  C$: 'CAD NIO',
  CA$: 'CAD',
  HK$: 'HKD',
  MX$: 'MXN',
  NT$: 'TWD',
  NZ$: 'NZD',
  R$: 'BRL',
  S$: 'SGD',
  '€': 'EUR',
  '£': 'GBP EGP FKP GIP LBP SDG SHP SSP SYP',
  '¥': 'JPY CNY',
  円: 'JPY',
  元: 'CNY',
  '₩': 'KRW KPW',
  '₹': 'INR',
  RS: 'INR LKR MUR NPR PKR SCR',
  '৳': 'BDT',
  RM: 'MYR',
  RP: 'IDR',
  '₱': 'PHP',
  '฿': 'THB',
  '₫': 'VND',
  Đ: 'VND',
  '៛': 'KHR',
  '₭': 'LAK',
  '₮': 'MNT',
  KR: 'SEK NOK DKK ISK',
  FR: 'CHF',
  SFR: 'CHF',
  ZŁ: 'PLN',
  KČ: 'CZK',
  FT: 'HUF',
  LEI: 'RON MDL',
  '₴': 'UAH',
  '₽': 'RUB',
  '₺': 'TRY',
  '₸': 'KZT',
  '₾': 'GEL',
  '₼': 'AZN',
  '֏': 'AMD',
  '₪': 'ILS',
  R: 'ZAR',
  '₦': 'NGN',
  '₵': 'GHS',
  KSH: 'KES',
  '₡': 'CRC',
  '₲': 'PYG',
};

const currenciesOf = new Map(Object.entries(signs).map(([sign, codes]) => [sign, new Set(codes.split(' '))]));

/**
 * Whether the text that stands beside an amount, such as `€`, `RM`, `kr.` or `usd`, agrees with the ISO 4217 code
 * `currency`; undefined when it is no currency that anyone would know.
 */
export function agreesWith(marker: string, currency: string): boolean | undefined {
  const sign = marker.toUpperCase().replace(/\.$/, '');
  const codes = currenciesOf.get(sign);
  if (codes) return codes.has(currency);
  return isOrWasCurrency(sign) ? sign === currency : undefined;
}

/** The currency that a sign or code stands for, if no other goes by it. */
export function onlyCurrencyOf(marker: string): string | undefined {
  const sign = marker.toUpperCase().replace(/\.$/, '');
  const codes = [...(currenciesOf.get(sign) ?? [])];
  if (codes.length > 0) return codes.length === 1 ? codes[0] : undefined;
  return isOrWasCurrency(sign) ? sign : undefined;
}

/** Whether `text` is a sign or code of any currency. */
export function isMarker(text: string): boolean {
  return agreesWith(text, '') !== undefined;
}

/** Codes that are words too, which headers in capitals have for other reasons. */
const words = new Set('ALL BAM COP CUP GEL MAD MOP PEN TOP TRY'.split(' '));
const inBrackets = /[([{]\s*([^()[\]{}]{1,4}?)\s*[)\]}]/u;
const sign = /(?:^|[\s_(])([A-Z]{0,2}\p{Sc})(?=$|[\s_)])/u;
const lastCode = /[\s_/-]([A-Z]{3}|[a-z]{3})$/;
const firstCode = /^([A-Z]{3})[\s_]/;

/**
 * The sign or code of the currency that a header names beside what it is: `€` of `Betrag €`, `EUR` of `Amount (EUR)`,
 * `Net EUR` and `amount_eur`. Empty where it names none.
 */
export function markerIn(header: string): string {
  const name = header.trim();
  const bracketed = inBrackets.exec(name)?.[1];
  if (bracketed !== undefined && isMarker(bracketed)) return bracketed;
  const found = sign.exec(name)?.[1];
  if (found !== undefined && isMarker(found)) return found;
  const code = [lastCode, firstCode]
    .map((pattern) => pattern.exec(name)?.[1])
    .find((one) => one && isMarker(one));
  return code === undefined || words.has(code.toUpperCase()) ? '' : code;
}

/** The one currency that `marker` stands for; of several that go by it `likely`, if it is among them. */
export function currencyOf(marker: string, likely: string): string | undefined {
  return onlyCurrencyOf(marker) ?? (agreesWith(marker, likely) ? likely : undefined);
}
