const sign = '[=+\\-@＝＋－＠]';
/** What stands before a sign wherever a spreadsheet may begin a cell: whatever it splits by, though the file does not. */
const starts = new RegExp(`(^|[,;\\t|\\r\\n]"*)('*)(?=${sign})`, 'g');
/** Spreadsheets leave these out at the start of a cell, and what follows begins it. */
const blank = /^('*)(?=[\t\r\n])/;
const negative = /-\d[\d.,' \u00a0\u202f]*%?(?=$|[;\t|\r\n])/y;
/** The same in two that are quick to say no, as they do of nearly all text. */
const first = new RegExp(`^'*(?:${sign}|[\\t\\r\\n])`);
const later = new RegExp(`[,;\\t|\\r\\n]"*'*${sign}`);
/** What a spreadsheet would take for a number and rob of its zeros, or of digits that it has no room for. */
const digits = /^(?:0\d+|\d{16,})$/;
const wrapped = /^="(0\d+|\d{16,})"$/;

/** Whether a spreadsheet might run `text`, or a part that it cuts off, as a formula, or take it for a number. */
export function looksLikeFormula(text: string): boolean {
  return first.test(text) || later.test(text);
}

/**
 * Text that no spreadsheet runs, whatever it splits the line by: an apostrophe before each sign that would begin a
 * formula, which keeps it text. Negative numbers and all else stay as they are. What has apostrophes there already gets
 * one more, so that `exposed` gives back any text exactly.
 */
export function harmless(text: string): string {
  if (!looksLikeFormula(text)) return text;
  return text
    .replace(starts, (found, before: string, marks: string, at: number) => {
      negative.lastIndex = at + found.length;
      return marks === '' && negative.test(text) ? found : `${before}'${marks}`;
    })
    .replace(blank, "'$1");
}

/** What `harmless` was given. */
export function exposed(text: string): string {
  if (!looksLikeFormula(text)) return text;
  return text
    .replace(starts, (_, before: string, marks: string) => before + marks.slice(1))
    .replace(blank, (marks) => marks.slice(1));
}

/**
 * The same for a cell that comes back once a person has saved it: an id such as 00123 becomes `="00123"` besides, because
 * saved as 123 it would be another sale's.
 */
export function kept(text: string): string {
  return digits.test(text) ? `="${text}"` : harmless(text);
}

/** What `kept` was given. */
export function given(text: string): string {
  return wrapped.exec(text)?.[1] ?? exposed(text);
}
