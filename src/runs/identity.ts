import { createHash } from 'node:crypto';

/** What tells one run of a job from another. */
export interface RunSubject {
  /** The scheduled instant; without one the run was asked for by hand, or by its parent. */
  slot?: Date | undefined;
  parentId?: string | undefined;
  parameters: Record<string, unknown>;
  asOf: Date;
}

const longest = 200;

/**
 * The text under which a run is unique within its account and job: its slot, its place under its parent, or the
 * parameters and the moment that it was given by hand (as a hash where they are long).
 */
export function identityOf(subject: RunSubject): string {
  if (subject.slot) return `slot ${subject.slot.toISOString()}`;
  if (subject.parentId !== undefined) {
    return shortened(`step of ${subject.parentId}`, canonicalJson(subject.parameters));
  }
  return shortened('by hand', canonicalJson({ asOf: subject.asOf, parameters: subject.parameters }));
}

/** JSON with its keys in order, so that equal values give equal text; dates as ISO 8601, bigints as text. */
export function canonicalJson(value: unknown): string {
  return jsonText(sorted(JSON.parse(jsonText(value))));
}

/** JSON of a value that may hold bigints, which become text. */
export function jsonText(value: unknown): string {
  return (
    JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? inner.toString() : inner)) ?? 'null'
  );
}

function shortened(kind: string, text: string): string {
  if (text.length <= longest) return `${kind} ${text}`;
  return `${kind} sha256 ${createHash('sha256').update(text).digest('hex')}`;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const pairs = Object.entries(value).map(([key, inner]) => [key, sorted(inner)] as const);
  return Object.fromEntries(pairs.sort(([a], [b]) => (a < b ? -1 : 1)));
}
