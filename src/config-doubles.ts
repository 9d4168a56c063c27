import type { z } from 'zod';

/** Adds a fault for each item whose ref an earlier one has; `items` may have none of the shape that they should. */
export function reportDoubles(items: { ref: string }[], at: string[], context: z.core.$RefinementCtx): void {
  const refs = listOf(items).map((item) => item?.ref);
  for (const [index, name] of refs.entries()) {
    if (name !== undefined && refs.indexOf(name) < index) {
      context.addIssue({
        code: 'custom',
        path: [...at, index, 'ref'],
        message: `"${name}" stands here twice`,
        input: name,
      });
    }
  }
}

/** The value where it is a list, as it should be. */
export function listOf<T>(value: T[]): T[] {
  return Array.isArray(value) ? value : [];
}
