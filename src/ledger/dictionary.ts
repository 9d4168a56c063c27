import { CopyLines } from '../db/copy.ts';

/** Numbers texts, and collects the lines that tell the database which number stands for what. */
export class Dictionary {
  #numbers = new Map<string, string>();
  #fresh = new CopyLines();
  #last = 0;

  get size(): number {
    return this.#numbers.size;
  }

  numberOf(key: string, line: () => string): string {
    let number = this.#numbers.get(key);
    if (number === undefined) {
      this.#last += 1;
      number = String(this.#last);
      this.#numbers.set(key, number);
      this.#fresh.add(`${number}\t${line()}\n`);
    }
    return number;
  }

  take(): CopyLines {
    const lines = this.#fresh;
    this.#fresh = new CopyLines();
    return lines;
  }

  forget(): void {
    this.#numbers = new Map();
  }
}
