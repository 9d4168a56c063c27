/** Characters that are looked at before texts are compared as a whole. */
const characters = 5;
const below = 1;
const beyond = 97;
const kinds = 98;
/** More texts are not told apart by one exact number: kinds to the power of characters, times this, is below 2 ** 53. */
const mostPlaces = 2 ** 19;

/**
 * The places of texts in the order of the texts, by their UTF-16 code units, equal ones in their own. Sorting numbers
 * takes a sixth of the time of sorting texts: a text's first characters behind those that all have in common make one,
 * with its place behind them, and only those that agree in these are compared themselves.
 */
export function orderOf(texts: readonly string[]): Uint32Array {
  if (texts.length > mostPlaces) return byText(texts, Uint32Array.from(texts.keys()));
  const from = lengthInCommon(texts);
  const numbers = new Float64Array(texts.length);
  texts.forEach((text, place) => {
    numbers[place] = codeOf(text, from) * mostPlaces + place;
  });
  numbers.sort();
  const order = new Uint32Array(texts.length);
  let begin = 0;
  let code = -1;
  for (let at = 0; at < numbers.length; at += 1) {
    const number = numbers[at]!;
    const next = Math.floor(number / mostPlaces);
    order[at] = number - next * mostPlaces;
    if (next === code) continue;
    if (at - begin > 1) byText(texts, order.subarray(begin, at));
    begin = at;
    code = next;
  }
  if (order.length - begin > 1) byText(texts, order.subarray(begin));
  return order;
}

function lengthInCommon(texts: readonly string[]): number {
  let start = texts[0] ?? '';
  for (const text of texts) while (!text.startsWith(start)) start = start.slice(0, -1);
  return start.length;
}

/** A number that is never larger than that of a later text. What stands behind a character of no kind of its own does not count. */
function codeOf(text: string, from: number): number {
  let code = 0;
  let at = from;
  for (const end = from + characters; at < end; at += 1) {
    const kind = kindAt(text, at);
    code = code * kinds + kind;
    if (kind === 0 || kind === below || kind === beyond) return code * kinds ** (end - at - 1);
  }
  return code;
}

/** The end of the text, all before the blank, each character of ASCII from there on, all beyond. */
function kindAt(text: string, at: number): number {
  if (at >= text.length) return 0;
  const unit = text.charCodeAt(at);
  return unit < 32 ? below : unit < 127 ? unit - 30 : beyond;
}

function byText(texts: readonly string[], places: Uint32Array): Uint32Array {
  return places.sort((one, other) => {
    const [text, beside] = [texts[one]!, texts[other]!];
    return text < beside ? -1 : text > beside ? 1 : one - other;
  });
}
