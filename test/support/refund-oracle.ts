/**
 * What is taken of one sale by refunds and disputes, worked out again from the rules in prose, one word after the other. It
 * shares no code with Payrun.
 */
export class RefundOracle {
  readonly amount: bigint;
  /** What is taken of the sale. */
  taken = 0n;
  dispute: { state: 'none' | 'open' | 'won' | 'lost'; amount: bigint } = { state: 'none', amount: 0n };
  #byRefunds = 0n;
  #totals: { amount: bigint; at: number; isTimed: boolean }[] = [];
  #failures: { amount: bigint; madeAt: number; at: number }[] = [];
  #lastRefund = Number.NEGATIVE_INFINITY;

  constructor(amount: bigint) {
    this.amount = amount;
  }

  refund(amount: bigint, at: number): 'recorded' | 'rejected' {
    if (this.taken + amount > this.amount) return 'rejected';
    this.#count(this.#byRefunds + amount);
    this.#lastRefund = Math.max(this.#lastRefund, at);
    return 'recorded';
  }

  /**
   * All that was refunded at `at`. Of two totals the later counts; where moments prove nothing, only one that is higher than
   * all before it, unless a person accepts it.
   */
  total(
    amount: bigint,
    at: number,
    { isTimed, accepted = false }: { isTimed: boolean; accepted?: boolean },
  ): 'recorded' | 'rejected' | 'duplicates' | 'conflicts' {
    const since = this.#failures.filter((one) => isTimed && one.madeAt <= at && one.at >= at);
    const left = since.reduce((rest, one) => rest - one.amount, amount);
    const now = left < 0n ? 0n : left;
    const timed = this.#totals.filter((one) => one.isTimed);
    if (!accepted && isTimed && timed.some((one) => one.at > at)) return 'duplicates';
    if (now === this.#byRefunds) {
      // The latest word is kept, although it changes nothing: what is told later of earlier moments is held against it.
      const isFirst = this.#totals.length === 0 && amount > 0n;
      const isLast = this.#totals.length > 0 && this.#totals.every((one) => one.at < at);
      if (!isTimed || !(isFirst || isLast)) return 'duplicates';
      this.#totals.push({ amount, at, isTimed });
      this.#lastRefund = Math.max(this.#lastRefund, at);
      return 'recorded';
    }
    const isLater = isTimed && at > this.#lastRefund;
    const isHighest = now > this.#byRefunds && this.#totals.every((one) => one.amount < amount);
    if (!accepted && !isLater && !isHighest) return 'conflicts';
    if (this.taken + now - this.#byRefunds > this.amount && now > this.#byRefunds) return 'rejected';
    this.#count(now);
    this.#totals.push({ amount, at, isTimed });
    this.#lastRefund = Math.max(this.#lastRefund, at);
    return 'recorded';
  }

  /** A refund that was made at `madeAt` has failed: it comes back unless the last total does not know of it yet. */
  fail(amount: bigint, madeAt: number, at: number): void {
    this.#failures.push({ amount, madeAt, at });
    const last = this.#totals.reduce((latest, one) => Math.max(latest, one.at), Number.NEGATIVE_INFINITY);
    if (this.#totals.length > 0 && (madeAt > last || at < last)) return;
    this.#count(amount > this.#byRefunds ? 0n : this.#byRefunds - amount);
  }

  /** What a dispute has come to; words come in the order of their moments. */
  disputed(state: 'opened' | 'won' | 'lost', amount: bigint): void {
    const was = this.dispute.state;
    if (state === 'opened') {
      if (was === 'none') this.dispute = { state: 'open', amount };
      return;
    }
    if (was === state) return;
    this.dispute = { state, amount };
    if (state === 'lost') this.taken = least(this.taken + amount, this.amount);
    else if (was === 'lost') this.#remain();
  }

  get status(): 'complete' | 'partial_refunded' | 'refunded' {
    if (this.taken === this.amount) return 'refunded';
    return this.taken === 0n ? 'complete' : 'partial_refunded';
  }

  #count(byRefunds: bigint): void {
    const more = byRefunds - this.#byRefunds;
    this.#byRefunds = byRefunds;
    if (more > 0n) this.taken += more;
    else this.#remain();
  }

  /** Refunds and lost disputes together may have said more than the sale; what comes back was not taken twice. */
  #remain(): void {
    const lost = this.dispute.state === 'lost' ? this.dispute.amount : 0n;
    this.taken = least(this.taken, this.#byRefunds + lost);
  }
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
