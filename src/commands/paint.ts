import { randomBytes } from 'node:crypto';
import { visible } from '../visible.ts';

/** Colours, or none, how wide the place is, and whose clock counts there: every function returns its text, marked for its style or as it is. */
export interface Paint {
  /** Columns of the terminal, less what the text is set in by; Infinity where nobody limits them. */
  columns: number;
  /** The zone in which times are told. */
  zone: string;
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  warn(text: string): string;
  bad(text: string): string;
}

/** Begins a mark of style. It is drawn anew for each process, so that data can't hold one and pass for styled text. */
const mark = `\ufdd0${randomBytes(8).toString('hex')};`;
const marks = new RegExp(`${mark}(\\d+)m`, 'g');

/** A Paint that marks styles when `isColoured`, and else leaves every text alone. */
export function createPaint(isColoured: boolean, columns = Number.POSITIVE_INFINITY, zone = 'UTC'): Paint {
  const style = (on: number, off: number) => (text: string) =>
    isColoured ? `${mark}${on}m${text}${mark}${off}m` : text;
  return {
    columns,
    zone,
    bold: style(1, 22),
    dim: style(2, 22),
    good: style(32, 39),
    warn: style(33, 39),
    bad: style(31, 39),
  };
}

/** `text` without its marks of style. */
export function unstyled(text: string): string {
  return text.replace(marks, '');
}

/** `text` as a terminal may get it: its marks are the only escapes, whatever else would steer the terminal is visible. */
export function styled(text: string): string {
  return visible(text).replace(marks, '\u001b[$1m');
}
