import os from 'node:os';
import type { Measured } from './measure.ts';

/** A piece of work beside the yardstick that it is held against. */
export interface Bar {
  work: string;
  yardstick: string;
  /** The most that Payrun may take, as a multiple of the yardstick. */
  atMost: number;
}

export const bars = {
  importByScript: { work: 'import', yardstick: 'psql script', atMost: 0.7 },
  importByNode: { work: 'import', yardstick: 'Node script', atMost: 1 / 3 },
  again: { work: 'again, all duplicates', yardstick: 'psql script', atMost: 1 },
  release: { work: 'release', yardstick: 'bare UPDATE', atMost: 1.2 },
  prepare: { work: 'prepare payouts', yardstick: 'bare UPDATE', atMost: 1.3 },
  export: { work: 'export, detailed report', yardstick: 'COPY TO', atMost: 1.5 },
} satisfies Record<string, Bar>;

const peakAtMost = 200e6;

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
  bar: number;
  peakBytes: number;
  rounds: number;
  ok: boolean;
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

/** Figures from the pairs of all rounds, in the order of the bars. */
export function figuresOf(rows: number, pairs: Pair[]): Figure[] {
  return Object.values(bars).flatMap((bar) => {
    const taken = pairs.filter((pair) => pair.bar === bar);
    return taken.length === 0 ? [] : [figureOf(rows, bar, taken)];
  });
}

function figureOf(rows: number, bar: Bar, pairs: Pair[]): Figure {
  const seconds = median(pairs.map(({ ours }) => ours.seconds));
  const ratio = median(pairs.map(({ ours, theirs }) => ours.seconds / theirs.seconds));
  const peakBytes = Math.max(...pairs.map(({ ours }) => ours.peakBytes));
  return {
    work: bar.work,
    rows,
    seconds,
    rowsPerSecond: Math.round(rows / seconds),
    cpuSeconds: median(pairs.map(({ ours }) => ours.cpuSeconds)),
    yardstick: bar.yardstick,
    yardstickSeconds: median(pairs.map(({ theirs }) => theirs.seconds)),
    ratio,
    bar: bar.atMost,
    peakBytes,
    rounds: pairs.length,
    ok: ratio <= bar.atMost && peakBytes <= peakAtMost,
  };
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The figures as a Markdown table, whose columns are aligned for people too. */
export function tableOf(figures: Figure[]): string {
  const header = ['work', 'rows', 's', 'rows/s', 'beside', 's', 'ratio', 'bar', 'peak MB', ''];
  const lines = figures.map((figure) => [
    figure.work,
    count(figure.rows),
    figure.seconds.toFixed(1),
    count(figure.rowsPerSecond),
    figure.yardstick,
    figure.yardstickSeconds.toFixed(1),
    hundredths(figure.ratio),
    `≤ ${hundredths(figure.bar)}`,
    count(Math.ceil(figure.peakBytes / 1e6)),
    figure.ok ? 'ok' : figure.peakBytes > peakAtMost ? 'over (memory)' : 'over',
  ]);
  const isText = (column: number) => column === 0 || column === 4 || column === 9;
  const widths = header.map((_, column) =>
    Math.max(...[header, ...lines].map((cells) => cells[column]!.length), 4),
  );
  const row = (cells: string[]) =>
    `| ${cells.map((cell, at) => (isText(at) ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!))).join(' | ')} |`;
  const rule = widths.map((width, at) => (isText(at) ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [header, rule, ...lines].map(row).join('\n');
}

/** `2 cores (…), 24 GB, Linux …; Node 24.21.0, PostgreSQL 18.4`, and a warning when others were using the machine. */
export function describeMachine(machine: Machine): string {
  const gigabytes = Math.round(machine.memoryBytes / 2 ** 30);
  const { cores, processor, system, node, postgres, loadBefore } = machine;
  const taken = `${cores} cores (${processor.trim()}), ${gigabytes} GB, ${system}; Node ${node}, PostgreSQL ${postgres}`;
  if (loadBefore < cores / 4) return taken;
  return `${taken}\nThe machine was busy before (load ${loadBefore.toFixed(1)}), so these figures say little.`;
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function hundredths(value: number): string {
  return (Math.round(value * 100) / 100).toLocaleString('en', { minimumFractionDigits: 2 });
}
