const formula = /^'*[=+\-@\t\r]/;
const number = /^[+-]\d[\d.,' \u00a0\u202f]*%?$/;

/**
 * Text that a spreadsheet would run as a formula, with an apostrophe in front, which keeps it text; numbers such as
 * -5.00 and all other text as they are. Text that has apostrophes there already gets one more, so that `exposed`
 * gives back any text exactly.
 */
export function harmless(text: string): string {
  return formula.test(text) && !number.test(text) ? `'${text}` : text;
}

/** What `harmless` was given. */
export function exposed(text: string): string {
  return text.startsWith("'") && formula.test(text) ? text.slice(1) : text;
}
