const formula = /^'*[=+\-@\t\r]/;
const number = /^[+-]\d[\d.,' \u00a0\u202f]*%?$/;
/** What a spreadsheet would take for a number and rob of its zeros, or of digits that it has no room for. */
const digits = /^(?:0\d+|\d{16,})$/;
const wrapped = /^="(0\d+|\d{16,})"$/;

/**
 * Text as a spreadsheet leaves it alone. What it would run as a formula gets an apostrophe in front, which keeps it text;
 * an id such as 00123 becomes `="00123"`, because saved as 123 it would come back as another sale's. Numbers such as
 * -5.00 and all other text stay as they are. Text that has apostrophes there already gets one more, so that `exposed`
 * gives back any text exactly.
 */
export function harmless(text: string): string {
  if (digits.test(text)) return `="${text}"`;
  return formula.test(text) && !number.test(text) ? `'${text}` : text;
}

/** What `harmless` was given. */
export function exposed(text: string): string {
  const inside = wrapped.exec(text)?.[1];
  if (inside !== undefined) return inside;
  return text.startsWith("'") && formula.test(text) ? text.slice(1) : text;
}
