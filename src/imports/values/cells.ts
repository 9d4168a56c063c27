/** What people and programs write to say that nothing is there; spreadsheets write their errors in many languages. */
const empties =
  /^(?:--?|n\/a|null|nil|none|\\n|#n\/[ad]|#nv|#[\p{L}¡¿][\p{L}\p{N}/_]*[!?]|\(formula without a result\))$/iu;
/** How such a text begins: nearly every other is told by that. */
const beginnings = new Set(Array.from('-nN\\#(', (letter) => letter.charCodeAt(0)));
/** What a cell of a workbook has whose formula was never computed, so that a message can say it. */
export const formulaWithoutResult = '(formula without a result)';
const longestEmpty = formulaWithoutResult.length;

/** Whether a trimmed text says that nothing is there. */
export function saysEmpty(text: string): boolean {
  return text.length <= longestEmpty && beginnings.has(text.charCodeAt(0)) && empties.test(text);
}

/** The text of a cell, trimmed; empty also when it says so. What is written `="00123"` is the text in the quotes. */
export function textOf(cell: string): string {
  let text = cell.trim();
  if (text.charCodeAt(0) === 61) text = /^="(.*)"$/s.exec(text)?.[1]?.trim() ?? text;
  return saysEmpty(text) ? '' : text;
}

/** What stands in the cell at an index, trimmed, also where it says that nothing does; empty where there is no such cell. */
export function writtenIn({ cells }: { cells: string[] }, at: number): string {
  return (cells[at] ?? '').trim();
}

/** A text that is no number, without the apostrophe by which a spreadsheet is told so. */
export function unquoted(text: string): string {
  return text.startsWith("'") ? text.slice(1).trimStart() : text;
}
