/** Everything that steers a terminal, changes the order of what it shows, or is not to be seen at all. */
const unseen = /[\p{Cc}\p{Bidi_Control}\u200b\u2028\u2029\u2060-\u2064\ufeff\ufff9-\ufffb]/gu;

/**
 * `text` with every character made visible that would steer a terminal or hide what is there: `␛` for ESC and the like
 * for the other control characters, `<U+202E>` for those that have no picture. Ends of lines stay.
 */
export function visible(text: string): string {
  return text.replace(unseen, (character) => (character === '\n' ? character : pictureOf(character)));
}

/** The same for what has to stay one line, such as a cell: an end of line is `␊`. */
export function visibleInLine(text: string): string {
  return text.replace(unseen, pictureOf);
}

/** A JSON document that means the same, with these characters written as escapes: only strings can hold them. */
export function visibleJson(document: string): string {
  return document.replace(unseen, (character) =>
    character === '\n' ? character : `\\u${hexOf(character).toLowerCase()}`,
  );
}

function pictureOf(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? '␡' : `<U+${hexOf(character)}>`;
}

function hexOf(character: string): string {
  return character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
}
