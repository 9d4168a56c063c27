/** Does some pieces of work together, and answers each; raises where none of them was done. */
export type Together<Piece, Answer> = (pieces: Piece[]) => Promise<Answer[]>;

/**
 * Work that arrives piece by piece and is done together: what arrives while some is under way goes next, so that a single
 * piece waits for nobody and a crowd shares one transaction. At most `most` pieces go at once.
 */
export class Batcher<Piece, Answer> {
  readonly #together: Together<Piece, Answer>;
  readonly #most: number;
  #waiting: { piece: Piece; settle: PromiseWithResolvers<Answer> }[] = [];
  #underWay: Promise<void> | undefined;

  constructor(together: Together<Piece, Answer>, most: number) {
    this.#together = together;
    this.#most = most;
  }

  /** How many pieces wait to be begun. */
  get length(): number {
    return this.#waiting.length;
  }

  add(piece: Piece): Promise<Answer> {
    const settle = Promise.withResolvers<Answer>();
    this.#waiting.push({ piece, settle });
    this.#underWay ??= this.#work();
    return settle.promise;
  }

  /** Ends when all that was added is done. */
  async drained(): Promise<void> {
    while (this.#underWay) await this.#underWay;
  }

  async #work(): Promise<void> {
    // What arrives in the same turn of the loop goes together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const some = this.#waiting.splice(0, this.#most);
      try {
        const answers = await this.#together(some.map(({ piece }) => piece));
        some.forEach(({ settle }, at) => {
          settle.resolve(answers[at]!);
        });
      } catch (cause) {
        for (const { settle } of some) settle.reject(cause);
      }
    }
    this.#underWay = undefined;
  }
}
