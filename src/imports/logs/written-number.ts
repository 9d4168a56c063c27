const numbers = /:\s*(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/g;

/**
 * How a line of JSON writes the number that was read from it as `value`: `9007199254740993` is read as
 * 9007199254740992, and a person who looks for what a message shows shall find it.
 */
export function writtenNumber(line: string, value: number): string {
  for (const [, written] of line.matchAll(numbers)) if (Number(written) === value) return written!;
  return String(value);
}
