const longest = 200;
/** In JSON the sign in the middle may be escaped. */
const email = /[^\s"'<>,;:@\\]{1,64}(?:@|\\u0040)[^\s"'<>,;]+/gi;

/** Text out of a file as a report may show it: shortened, and e-mail addresses cut down to their first letter. */
export function hidden(text: string): string {
  const masked = text.replace(email, (address) => `${address[0]}…@…`);
  return masked.length > longest ? `${masked.slice(0, longest - 1)}…` : masked;
}
