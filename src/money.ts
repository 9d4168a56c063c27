/**
 * Money is a bigint of minor units beside an ISO 4217 code. Exponents are ISO's own and not the runtime's:
 * Intl follows CLDR, which drops the decimals of currencies that still have them.
 */
const exponents: Record<string, number> = Object.fromEntries([
  ...'BIF BYR CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'
    .split(' ')
    .map((code) => [code, 0]),
  ...'BHD IQD JOD KWD LYD OMR TND'.split(' ').map((code) => [code, 3]),
  ...'CLF UYW'.split(' ').map((code) => [code, 4]),
]);

/** Every code in circulation (ISO 4217, list of 2026), funds codes and metals left out. */
const codes = new Set(
  (
    'AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLF ' +
    'CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL ' +
    'HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD ' +
    'MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG ' +
    'QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD ' +
    'TWD TZS UAH UGX USD UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG'
  ).split(' '),
);

/**
 * Codes that went out of circulation (ISO 4217, list 3), with their last day as money: what was sold until then was sold
 * in them.
 */
const withdrawn = new Map(
  Object.entries({
    SIT: '2006-12-31',
    CYP: '2007-12-31',
    MTL: '2007-12-31',
    SKK: '2008-12-31',
    EEK: '2010-12-31',
    ZMK: '2012-12-31',
    LVL: '2013-12-31',
    LTL: '2014-12-31',
    BYR: '2016-12-31',
    MRO: '2017-12-31',
    STD: '2017-12-31',
    VEF: '2018-08-19',
    CUC: '2021-06-30',
    HRK: '2022-12-31',
    SLL: '2023-12-31',
    ZWL: '2024-08-31',
    ANG: '2025-06-30',
    BGN: '2025-12-31',
  }),
);

/** Amounts above this are refused: times a rate in parts per million they would no longer fit 64 bits. */
export const maxMinorUnits = 9_000_000_000_000n;

/** Whether the code is one in circulation. */
export function isCurrency(code: string): boolean {
  return codes.has(code);
}

/** The last day of a code that was withdrawn, as `2022-12-31`; undefined for one in circulation, and for no code at all. */
export function lastDayOf(code: string): string | undefined {
  return withdrawn.get(code);
}

/** Whether the code is, or was, one in circulation. */
export function isOrWasCurrency(code: string): boolean {
  return isCurrency(code) || withdrawn.has(code);
}

/** Decimals of a currency: 2 unless ISO 4217 says 0, 3 or 4. */
export function exponentOf(currency: string): number {
  return exponents[currency] ?? 2;
}

export type AmountFault = 'amount-format' | 'amount-decimals' | 'amount-too-large';

/**
 * Minor units of a plain decimal text such as `1234.50` or `-12` in `currency`; never rounds.
 * Returns the fault's code when the text is no such number, has more decimals than the currency (a zero beyond them is
 * no decimal: `1500.00` JPY is 1500) or is out of range.
 */
export function parseAmount(text: string, currency: string): bigint | AmountFault {
  const match = plainDecimal.exec(text);
  if (!match) return 'amount-format';
  const decimals = match[3] ?? '';
  const units = BigInt(match[2]! + decimals);
  return minorUnitsOf(match[1] === '-' ? -units : units, decimals.length, currency);
}

const plainDecimal = /^([+-]?)(\d+)(?:\.(\d+))?$/;

/**
 * Minor units in `currency` of the exact number `units` / 10^`scale`. Returns the fault's code when it has more decimals
 * than the currency (zeros beyond them are none) or is out of range.
 */
export function minorUnitsOf(units: bigint, scale: number, currency: string): bigint | AmountFault {
  const exponent = exponentOf(currency);
  const excess = scale > exponent ? 10n ** BigInt(scale - exponent) : 1n;
  if (excess > 1n && units % excess !== 0n) return 'amount-decimals';
  const minor = scale === exponent ? units : (units * 10n ** BigInt(Math.max(0, exponent - scale))) / excess;
  return minor > maxMinorUnits || minor < -maxMinorUnits ? 'amount-too-large' : minor;
}

/** The amount as files and JSON carry it: exact decimals, a point, no grouping, `-` in front. `1234.50` */
export function formatAmount(minor: bigint, currency: string): string {
  const exponent = exponentOf(currency);
  const negative = minor < 0n;
  const digits = (negative ? -minor : minor).toString().padStart(exponent + 1, '0');
  const whole = digits.slice(0, digits.length - exponent);
  const text = exponent === 0 ? whole : `${whole}.${digits.slice(digits.length - exponent)}`;
  return negative ? `-${text}` : text;
}

/** The amount as people read it: thousands separated, its currency behind it. `1,234.50 USD` */
export function showAmount(minor: bigint, currency: string): string {
  return `${showBare(minor, currency)} ${currency}`;
}

/** The same without its currency, where that stands beside it. `1,234.50` */
export function showBare(minor: bigint, currency: string): string {
  const [whole, decimals] = formatAmount(minor, currency).split('.');
  const grouped = groupThousands(whole!);
  return decimals === undefined ? grouped : `${grouped}.${decimals}`;
}

/** A whole number with its thousands separated by commas. `1,204` */
export function showCount(count: number | bigint): string {
  return groupThousands(count.toString());
}

/** Parts per million of a percentage such as `20` or `12.5` (at most four decimals, 0 to 100), or undefined. */
export function parsePercent(text: string): number | undefined {
  const match = /^(\d{1,3})(?:\.(\d{1,4}))?$/.exec(text);
  if (!match) return undefined;
  const ppm = Number(match[1]) * 10_000 + Number((match[2] ?? '').padEnd(4, '0'));
  return ppm <= 1_000_000 ? ppm : undefined;
}

/** The percentage of parts per million, without needless zeros. `12.5` */
export function formatPercent(ppm: number): string {
  const decimals = String(ppm % 10_000)
    .padStart(4, '0')
    .replace(/0+$/, '');
  const whole = Math.floor(ppm / 10_000);
  return decimals ? `${whole}.${decimals}` : String(whole);
}

/** Whole digits, with or without a sign, with a comma before every three. */
export function groupThousands(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** A rate of exchange (units of `to` for one of `from`, as decimal text) between the minor units of both. */
export function minorRateOf(rate: string, from: string, to: string): string {
  const places = exponentOf(to) - exponentOf(from);
  const [whole, decimals = ''] = rate.split('.');
  if (places === 0) return rate;
  if (places > 0) {
    const filled = decimals.padEnd(places, '0');
    return `${whole}${filled.slice(0, places)}.${filled.slice(places) || '0'}`;
  }
  const filled = whole!.padStart(1 - places, '0');
  return `${filled.slice(0, places)}.${filled.slice(places)}${decimals}`;
}
