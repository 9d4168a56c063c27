/**
 * Characters that show nothing, or only say in which direction text runs: soft hyphen, spaces and joiners of no width,
 * marks and isolates of direction, and byte order marks inside a text.
 */
const invisible = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/g;

/** `text` without them. */
export function withoutInvisible(text: string): string {
  return text.replace(invisible, '');
}
