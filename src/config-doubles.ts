import { getNodePath, type JSONPath, type Node } from 'jsonc-parser';
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

/** A key that stands in an object once more, where the earlier value would not count without a word. */
export interface DoubledKey {
  at: JSONPath;
  /** Where this key begins in the text, and where the first one does. */
  offset: number;
  firstOffset: number;
}

/** Every key of `node` and of what lies in it that its object has already. */
export function doubledKeys(node: Node): DoubledKey[] {
  const children = node.children ?? [];
  const inner = children.flatMap(doubledKeys);
  if (node.type !== 'object') return inner;
  const first = new Map<unknown, number>();
  const doubled: DoubledKey[] = [];
  for (const property of children) {
    const key = property.children![0]!;
    const firstOffset = first.get(key.value);
    if (firstOffset === undefined) first.set(key.value, property.offset);
    else doubled.push({ at: getNodePath(key), offset: property.offset, firstOffset });
  }
  return [...doubled, ...inner];
}
