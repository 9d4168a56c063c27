import { createScanner } from 'jsonc-parser';

/** Far deeper than any payrun.json needs, and far from where reading it would run out of stack. */
const deepest = 100;

/** Where in the text more than a hundred lists and objects stand in each other; undefined where nowhere. */
export function tooDeepAt(text: string): number | undefined {
  const scanner = createScanner(text, true);
  let depth = 0;
  while (scanner.getPosition() < text.length) {
    scanner.scan();
    const begin = text[scanner.getTokenOffset()];
    if (begin === '{' || begin === '[') depth += 1;
    if (begin === '}' || begin === ']') depth -= 1;
    if (depth > deepest) return scanner.getTokenOffset();
  }
  return undefined;
}
