/** How the characters begin, in UTF-8, that text which was encoded twice is full of: Ã, Â and â€. */
const beginnings = ['c383', 'c382', 'c3a2e282ac'].map((hex) => Buffer.from(hex, 'hex'));

/** Whether `bytes` may hold text that was encoded twice; a look that costs next to nothing. */
export function mayBeGarbled(bytes: Buffer): boolean {
  return beginnings.some((beginning) => bytes.includes(beginning));
}

/** UTF-8 that was taken for Windows-1252 and written as UTF-8 once more: `JosÃ©` for `José`, `â€“` for a dash. */
const garbled = /[ÂÃ][\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|â€[\u0080-\u00bfœ˜™“”¢¦¡]/u;

/** Whether one of `cells` looks like text that was encoded twice. */
export function areGarbled(cells: string[]): boolean {
  return cells.some((cell) => garbled.test(cell));
}
