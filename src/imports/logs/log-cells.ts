import { findNodeAtLocation, type Node, parseTree } from 'jsonc-parser';
import type { StagedSale } from '../../ledger/stage.ts';
import { hidden } from '../hidden.ts';
import { type PreviewField, type PreviewRow, understood } from '../preview-rows.ts';

/** Where in an event a field stands: at the first of these keys that it has. */
export type FieldKeys = readonly [field: PreviewField, ...keys: string[]];

/**
 * The cells of a preview for the fields that an event has, letter for letter as its line has them below `root`, beside
 * what was understood: nothing where `said` is undefined.
 */
export function cellsOf(
  text: string,
  root: string[],
  fields: readonly FieldKeys[],
  said: StagedSale | undefined,
): PreviewRow['cells'] {
  const tree = parseTree(text);
  return fields.flatMap(([field, ...keys]) => {
    const nodes = keys.map((key) => nodeAt(tree, [...root, ...key.split('.')]));
    const at = Math.max(0, nodes.findIndex(Boolean));
    const node = nodes[at];
    const raw = node ? text.slice(node.offset, node.offset + node.length) : '';
    const meant = said ? understood[field](said) : '';
    if (raw === '' && meant === '') return [];
    return [{ column: keys[at]!, raw: hidden(raw), field, understood: hidden(meant) }];
  });
}

/** What stands at `path`; null is nothing. */
function nodeAt(tree: Node | undefined, path: string[]): Node | undefined {
  const node = tree && findNodeAtLocation(tree, path);
  return node?.type === 'null' ? undefined : node;
}
