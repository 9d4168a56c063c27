import os from 'node:os';
import type { Measured } from './measure.ts';

/** The names by which pieces of work can be asked for. */
export const names = [
  'import',
  'again',
  'release',
  'prepare',
  'export',
  'events',
  'stripe',
  'wide',
  'long',
] as const;

export type Name = (typeof names)[number];

/** A piece of work beside the yardstick that it is held against. */
export interface Bar {
  name: Name;
  work: string;
  yardstick: string;
  /** The most that Payrun may take, as a multiple of the yardstick; without it the figures stand beside each other. */
  atMost?: number;
}

export const bars = {
  importByScript: { name: 'import', work: 'import', yardstick: 'psql script', atMost: 0.7 },
  importByNode: { name: 'import', work: 'import', yardstick: 'Node script', atMost: 1 / 3 },
  again: { name: 'again', work: 'again, all duplicates', yardstick: 'psql script', atMost: 1 },
  release: { name: 'release', work: 'release', yardstick: 'bare UPDATE', atMost: 1.2 },
  prepare: { name: 'prepare', work: 'prepare payouts', yardstick: 'bare UPDATE', atMost: 1.3 },
  export: { name: 'export', work: 'export, detailed report', yardstick: 'COPY TO', atMost: 1.5 },
  events: { name: 'events', work: 'import an event log', yardstick: 'psql script, CSV', atMost: 0.8 },
  stripe: { name: 'stripe', work: 'import a Stripe log', yardstick: 'psql script, CSV' },
  wide: { name: 'wide', work: 'import, 79 columns', yardstick: 'psql script' },
  long: { name: 'long', work: 'import, notes of 2 KB', yardstick: 'psql script' },
} satisfies Record<string, Bar>;

const peakAtMost = 200e6;
/** Of the rows per second at the smallest size, what must be left at a larger one. */
const growthAtLeast = 0.75;

/** One measurement of Payrun and one of the yardstick, taken one after the other. */
export interface Pair {
  bar: Bar;
  ours: Measured;
  theirs: Measured;
}

/** A line of the table; of several rounds the medians, and the largest peak. */
export interface Figure {
  work: string;
  rows: number;
  seconds: number;
  rowsPerSecond: number;
  cpuSeconds: number;
  yardstick: string;
  yardstickSeconds: number;
  ratio: number;
  /** The most that `ratio` may be; null where there is no bar. */
  bar: number | null;
  peakBytes: number;
  /** Rows per second as a multiple of those at the smallest size that was measured; null at that size itself. */
  growth: number | null;
  rounds: number;
  /** What is over its bar. */
  over: ('ratio' | 'memory' | 'growth')[];
}

/** What the figures were taken on. */
export interface Machine {
  cores: number;
  processor: string;
  memoryBytes: number;
  system: string;
  node: string;
  postgres: string;
  /** Processes that wanted to run when the benchmark began, on average over a minute; 0 where the system does not say. */
  loadBefore: number;
}

/** The machine that this runs on, and its load at this moment; to be called before anything is measured. */
export function machine(postgres: string): Machine {
  const processors = os.cpus();
  return {
    cores: processors.length,
    processor: processors[0]?.model ?? 'unknown',
    memoryBytes: os.totalmem(),
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.version.slice(1),
    postgres,
    loadBefore: os.loadavg()[0]!,
  };
}

/** The pairs of all rounds at one size. */
export interface Taken {
  rows: number;
  pairs: Pair[];
}

/** Figures from what was taken at each size, smallest first, and in the order of the bars. */
export function figuresOf(taken: Taken[]): Figure[] {
  const smallest = new Map<Bar, Figure>();
  return taken
    .toSorted((a, b) => a.rows - b.rows)
    .flatMap(({ rows, pairs }) =>
      Object.values(bars).flatMap((bar) => {
        const ofBar = pairs.filter((pair) => pair.bar === bar);
        if (ofBar.length === 0) return [];
        const figure = figureOf(rows, bar, ofBar, smallest.get(bar));
        if (!smallest.has(bar)) smallest.set(bar, figure);
        return [figure];
      }),
    );
}

function figureOf(rows: number, bar: Bar, pairs: Pair[], smallest: Figure | undefined): Figure {
  const seconds = median(pairs.map(({ ours }) => ours.seconds));
  const ratio = median(pairs.map(({ ours, theirs }) => ours.seconds / theirs.seconds));
  const peakBytes = Math.max(...pairs.map(({ ours }) => ours.peakBytes));
  const rowsPerSecond = Math.round(rows / seconds);
  const growth = smallest ? rowsPerSecond / smallest.rowsPerSecond : null;
  const isOver = {
    ratio: bar.atMost !== undefined && ratio > bar.atMost,
    memory: peakBytes > peakAtMost,
    growth: growth !== null && growth < growthAtLeast,
  };
  return {
    work: bar.work,
    rows,
    seconds,
    rowsPerSecond,
    cpuSeconds: median(pairs.map(({ ours }) => ours.cpuSeconds)),
    yardstick: bar.yardstick,
    yardstickSeconds: median(pairs.map(({ theirs }) => theirs.seconds)),
    ratio,
    bar: bar.atMost ?? null,
    peakBytes,
    growth,
    rounds: pairs.length,
    over: (['ratio', 'memory', 'growth'] as const).filter((what) => isOver[what]),
  };
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
