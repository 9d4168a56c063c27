import type { Figure, Machine } from './bars.ts';

/** The figures as a Markdown table, whose columns are aligned for people too. */
export function tableOf(figures: Figure[]): string {
  const header = ['work', 'rows', 's', 'rows/s', 'growth', 'beside', 's', 'ratio', 'bar', 'peak MB', ''];
  const lines = figures.map((figure) => [
    figure.work,
    count(figure.rows),
    figure.seconds.toFixed(1),
    count(figure.rowsPerSecond),
    figure.growth === null ? '' : hundredths(figure.growth),
    figure.yardstick,
    figure.yardstickSeconds.toFixed(1),
    hundredths(figure.ratio),
    figure.bar === null ? '' : `≤ ${hundredths(figure.bar)}`,
    count(Math.ceil(figure.peakBytes / 1e6)),
    figure.over.length === 0 ? 'ok' : `over (${figure.over.join(', ')})`,
  ]);
  const isText = (column: number) => [0, 5, 10].includes(column);
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
