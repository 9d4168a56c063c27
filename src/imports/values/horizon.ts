const day = 86_400_000;

/** What an import takes for the future: nothing has happened there yet, and what lies far in it is a wrong year. */
export class Horizon {
  readonly #now: number;
  readonly #farthest: number;
  /** Compared as text, which nearly all moments come before, wherever on earth they are. */
  readonly #soon: string;

  /** `now` is the clock of the import. */
  constructor(now: Date) {
    this.#now = now.getTime();
    this.#farthest = new Date(now).setUTCFullYear(now.getUTCFullYear() + 1);
    this.#soon = new Date(this.#now - day).toISOString();
  }

  /** Whether an instant as ISO 8601 is `ahead` of now, or `far` ahead, which is more than a year. */
  of(instant: string): 'ahead' | 'far' | undefined {
    if (instant < this.#soon) return undefined;
    const at = Date.parse(instant);
    if (at > this.#farthest) return 'far';
    return at > this.#now ? 'ahead' : undefined;
  }
}
