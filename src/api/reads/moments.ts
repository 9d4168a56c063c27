import { parseInstant } from '../../time.ts';

/** A span of time: from a moment on, up to and with one, and before one. */
export interface Moments {
  from?: Date | undefined;
  to?: Date | undefined;
  before?: Date | undefined;
}

const day = /^\d{4}-\d{2}-\d{2}$/;
const oneDay = 86_400_000;

/** A moment of the years that a database and its driver can tell. */
function instantOf(text: string, zone: string): Date | undefined {
  const instant = parseInstant(text, zone);
  const year = instant?.getUTCFullYear() ?? 0;
  return year >= 1 && year <= 9999 ? instant : undefined;
}

/**
 * The span between two texts of ISO 8601; a date alone is the whole day in `zone`, so that it ends with that day. Returns
 * `from` or `to` where that text is no moment.
 */
export function momentsBetween(
  from: string | undefined,
  to: string | undefined,
  zone: string,
): Moments | 'from' | 'to' {
  const moments: Moments = {};
  if (from !== undefined) {
    moments.from = instantOf(from, zone);
    if (!moments.from) return 'from';
  }
  if (to === undefined) return moments;
  const end = instantOf(to, zone);
  if (!end) return 'to';
  if (!day.test(to)) return { ...moments, to: end };
  const next = new Date(Date.parse(to) + oneDay).toISOString().slice(0, 10);
  return { ...moments, before: instantOf(next, zone) };
}

/** The span that is common to all of some. */
export function common(spans: Moments[]): Moments {
  const sorted = (end: keyof Moments) =>
    spans.flatMap((span) => span[end] ?? []).sort((a, b) => a.getTime() - b.getTime());
  return { from: sorted('from').at(-1), to: sorted('to')[0], before: sorted('before')[0] };
}
