import { Temporal } from 'temporal-polyfill';

/**
 * What the ledger should do with sales, worked out again from the rules in prose: one sale after the other, in plain
 * whole numbers. It shares no code with Payrun, and none of its ways: no SQL, no sets, no parts per million.
 */
export interface OracleTerms {
  currency: string;
  timezone: string;
  holdDays: number;
  commission: Rule | undefined;
  rounding: 'half_up' | 'half_even';
  incentives: OracleIncentive[];
  affiliates: Record<string, { status: string; override?: string | undefined }>;
  /** Units of the programme's currency for one of `currency`, as decimal text. */
  rates: Record<string, string>;
}

export interface Rule {
  percent?: string | undefined;
  /** Minor units of the programme's currency. */
  fixed?: bigint | undefined;
}

export interface OracleIncentive extends Rule {
  ref: string;
  id: string;
  products?: string[] | undefined;
  prices?: string[] | undefined;
  interval?: string | undefined;
  subscriptionOnly: boolean;
  holdDays?: number | undefined;
  months?: number | undefined;
  payments?: number | undefined;
  priority: number;
}

export interface OracleSale {
  id: string;
  affiliate: string | undefined;
  customer: string | undefined;
  amount: bigint;
  currency: string;
  at: Date;
  products: string[];
  prices: string[];
  interval: string | undefined;
  subscription: boolean;
  /** Undefined where the row says nothing of it. */
  status: 'open' | 'complete' | 'trialing' | 'failed' | undefined;
  holdDays: number | undefined;
}

export type Verdict = 'recorded' | 'updated' | 'duplicates' | 'conflicts' | 'rejected';

/** What should stand in the books for one sale. */
export interface Entry {
  sale: OracleSale;
  affiliate: string;
  status: NonNullable<OracleSale['status']>;
  /** Undefined when it earns nothing, not even a line of zero. */
  commission:
    | { amount: bigint; incentive: string | null; holdDays: number; holdUntil: Date; declined: boolean }
    | undefined;
}

const decimals: Record<string, number> = { JPY: 0, USD: 2, EUR: 2, KWD: 3 };

interface Customer {
  affiliate: string;
  sales: Date[];
}

export class Oracle {
  readonly book = new Map<string, Entry>();
  readonly customers = new Map<string, Customer>();
  readonly #terms: OracleTerms;

  constructor(terms: OracleTerms) {
    this.#terms = terms;
  }

  /** Takes the rows of one file and says how each of them ends, in the order of the file. */
  take(file: OracleSale[]): Verdict[] {
    this.#meetCustomers(file);
    const first = new Map<string, OracleSale>();
    const verdicts = file.map((sale): Verdict => {
      if (this.#affiliateOf(sale) === undefined) return 'rejected';
      if (this.book.has(sale.id) || first.has(sale.id)) return 'duplicates';
      first.set(sale.id, sale);
      return 'recorded';
    });
    for (const sale of [...first.values()].sort(byTime)) this.#record(sale);
    return verdicts.map((verdict, at) => (verdict === 'duplicates' ? this.#again(file[at]!) : verdict));
  }

  #affiliateOf(sale: OracleSale): string | undefined {
    return sale.affiliate ?? this.customers.get(sale.customer ?? '')?.affiliate;
  }

  /**
   * A new customer belongs to the affiliate of the earliest of its sales, of those at one moment of the one with the first
   * id; doubles of an earlier row say nothing.
   */
  #meetCustomers(file: OracleSale[]): void {
    const seen = new Set(this.book.keys());
    const telling = file.filter((sale) => {
      if (sale.affiliate === undefined || seen.has(sale.id)) return false;
      seen.add(sale.id);
      return sale.customer !== undefined && !this.customers.has(sale.customer);
    });
    for (const { customer, affiliate } of telling.sort(byTime)) {
      if (!this.customers.has(customer!)) this.customers.set(customer!, { affiliate: affiliate!, sales: [] });
    }
  }

  #again(sale: OracleSale): Verdict {
    const entry = this.book.get(sale.id)!;
    const facts = (one: OracleSale, affiliate: string) =>
      JSON.stringify([affiliate, String(one.amount), one.currency, one.at, [...one.products].sort()]);
    if (facts(sale, this.#affiliateOf(sale)!) !== facts(entry.sale, entry.affiliate)) return 'conflicts';
    const isOver = (status: string) => status === 'complete' || status === 'failed';
    if (sale.status === undefined || !isOver(sale.status) || sale.status === entry.status)
      return 'duplicates';
    if (isOver(entry.status)) return 'conflicts';
    entry.status = sale.status;
    if (sale.status === 'failed' && entry.commission) entry.commission.declined = true;
    return 'updated';
  }

  #record(sale: OracleSale): void {
    const affiliate = this.#affiliateOf(sale)!;
    const known = this.customers.get(sale.customer ?? '');
    const earlier = known?.affiliate === affiliate ? known.sales : [];
    const rule = this.#ruleFor(sale, earlier);
    earlier.push(sale.at);
    const { status } = this.#terms.affiliates[affiliate]!;
    const earnsNothing = sale.status === 'failed' || status === 'paused' || status === 'banned' || !rule;
    this.book.set(sale.id, {
      sale,
      affiliate,
      status: sale.status ?? 'complete',
      commission: earnsNothing ? undefined : this.#earned(sale, affiliate, rule),
    });
  }

  #earned(
    sale: OracleSale,
    affiliate: string,
    rule: Rule & Partial<OracleIncentive>,
  ): NonNullable<Entry['commission']> {
    const holdDays = sale.holdDays ?? rule.holdDays ?? this.#terms.holdDays;
    const percent = this.#terms.affiliates[affiliate]!.override ?? rule.percent;
    return {
      amount: rule.fixed ?? this.#share(sale, percent!),
      incentive: rule.ref ?? null,
      holdDays,
      holdUntil: later(sale.at, { days: holdDays }, this.#terms.timezone),
      declined: false,
    };
  }

  #ruleFor(sale: OracleSale, earlier: Date[]): (Rule & Partial<OracleIncentive>) | undefined {
    const first = earlier.reduce((least, at) => (at < least ? at : least), sale.at);
    const matching = this.#terms.incentives.filter(
      (one) =>
        (!one.products || one.products.some((product) => sale.products.includes(product))) &&
        (!one.prices || one.prices.some((price) => sale.prices.includes(price))) &&
        (!one.interval || one.interval === sale.interval) &&
        (!one.subscriptionOnly || sale.subscription) &&
        (one.payments === undefined || earlier.length < one.payments) &&
        (one.months === undefined || sale.at < later(first, { months: one.months }, this.#terms.timezone)),
    );
    const conditions = (one: OracleIncentive) =>
      [one.products, one.prices, one.interval, one.subscriptionOnly || undefined].filter(
        (it) => it !== undefined,
      ).length;
    matching.sort(
      (a, b) => conditions(b) - conditions(a) || b.priority - a.priority || (a.id < b.id ? -1 : 1),
    );
    return matching[0] ?? this.#terms.commission;
  }

  /** The percentage of a sale, through the rate of exchange of its currency, as one fraction that is rounded once. */
  #share(sale: OracleSale, percent: string): bigint {
    const { currency, rates, rounding } = this.#terms;
    const rate = sale.currency === currency ? '1' : rates[sale.currency]!;
    const [percentTop, percentBottom] = fraction(percent);
    const [rateTop, rateBottom] = fraction(rate);
    const top = sale.amount * percentTop * rateTop * 10n ** BigInt(decimals[currency]!);
    const bottom = 100n * percentBottom * rateBottom * 10n ** BigInt(decimals[sale.currency]!);
    const whole = top / bottom;
    const rest = 2n * (top % bottom);
    if (rest !== bottom) return rest > bottom ? whole + 1n : whole;
    return rounding === 'half_up' || whole % 2n === 1n ? whole + 1n : whole;
  }
}

/** The order of sales in time; those at one moment by their ids, so that the order of a file decides nothing. */
function byTime(a: OracleSale, b: OracleSale): number {
  return a.at.getTime() - b.at.getTime() || (a.id < b.id ? -1 : 1);
}

/** The same time of day on the calendar of `zone` some days or months later, never earlier where clocks change. */
function later(at: Date, by: { days?: number; months?: number }, zone: string): Date {
  if (by.days === 0) return at;
  const local = Temporal.Instant.fromEpochMilliseconds(at.getTime())
    .toZonedDateTimeISO(zone)
    .toPlainDateTime();
  return new Date(local.add(by).toZonedDateTime(zone, { disambiguation: 'later' }).epochMilliseconds);
}

/** Decimal text as a fraction. */
function fraction(text: string): [top: bigint, bottom: bigint] {
  const [whole, decimal = ''] = text.split('.');
  return [BigInt(whole! + decimal), 10n ** BigInt(decimal.length)];
}

/** Minor units as decimal text. */
export function decimalText(minor: bigint, currency: string): string {
  const places = decimals[currency]!;
  const digits = minor.toString().padStart(places + 1, '0');
  return places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}
