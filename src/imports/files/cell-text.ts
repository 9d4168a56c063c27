/** Excel keeps as many digits of a number as these; what stands behind them is noise of its arithmetic. */
const digitsShown = 15;

/**
 * The number of a workbook's cell as Excel shows it: rounded to 15 digits, in plain decimals with a point, without
 * grouping. `stored` is the text in the file, such as `4.3499999999999996` (4.35) or `1E-3` (0.001), and `shift`
 * moves the point to the right. A number with more digits before its point is not known exactly any more, so it
 * keeps the exponent by which Excel says so; such an id was destroyed. Undefined where `stored` is no number.
 */
export function shownNumber(stored: string, shift = 0): string | undefined {
  const found = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/.exec(stored.trim());
  if (!found || !/\d/.test(found[2]! + (found[3] ?? ''))) return undefined;
  const [, sign, whole = '', decimals = '', exponent = '0'] = found;
  const significant = (whole + decimals).replace(/^0+/, '');
  if (significant === '') return '0';
  const roundsUp = (significant[digitsShown] ?? '0') >= '5';
  const rounded = (BigInt(significant.slice(0, digitsShown)) + (roundsUp ? 1n : 0n)).toString();
  const carried = rounded.length > Math.min(digitsShown, significant.length) ? 1 : 0;
  const leadingZeros = whole.length + decimals.length - significant.length;
  const point = whole.length - leadingZeros + Number(exponent) + shift + carried;
  const digits = rounded.replace(/0+$/, '');
  return (sign === '-' ? '-' : '') + placed(digits, point);
}

/** `digits` with the point behind the first `point` of them. */
function placed(digits: string, point: number): string {
  if (point > digitsShown)
    return `${digits[0]}${digits.length > 1 ? `.${digits.slice(1)}` : ''}E+${point - 1}`;
  if (point <= 0) return `0.${'0'.repeat(-point)}${digits}`;
  if (digits.length <= point) return digits.padEnd(point, '0');
  return `${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** A date of a workbook's cell in ISO form, to the second; a time of midnight is left out. */
export function shownDate(date: Date): string {
  const seconds = new Date(Math.round(date.getTime() / 1000) * 1000);
  // Beyond the calendar Excel shows nothing but this.
  if (Number.isNaN(seconds.getTime())) return '#####';
  const text = seconds.toISOString().replace(/\.000Z$/, '');
  return text.endsWith('T00:00:00') ? text.slice(0, -9) : text;
}

/** The same of a cell that holds its date as ISO text, as strict workbooks do. */
export function shownIsoDate(text: string): string {
  return text
    .trim()
    .replace(/(\.\d+)?Z?$/, '')
    .replace(/T00:00(:00)?$/, '');
}
