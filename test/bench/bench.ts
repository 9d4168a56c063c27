import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { figuresOf, machine, type Name, names, type Pair, type Taken } from './bars.ts';
import { writeSales } from './files.ts';
import { type Ground, withGround } from './ground.ts';
import { otherImports, runImport, writeFiles } from './imports.ts';
import type { RoundOptions } from './pair.ts';
import { runWay } from './round.ts';
import { canonical } from './sales-layouts.ts';
import { SumsDiffer } from './sums.ts';
import { describeMachine, tableOf } from './table.ts';

const usage = `npm run bench -- [rows...] [--only import,events] [--rounds 3] [--skip-node] [--json bench-results.json]

Measures Payrun beside what one would type instead: SQL scripts for psql, and a plain Node script. It says so when a bar
is missed, and fails only when the money differs. Without rows it takes 100000 and 1000000.

  import again release prepare export   one sales CSV on its way; a step brings those before it along, unreported
  events stripe wide long               imports of the same sales as an event log, as Stripe's charges, with 79 columns,
                                        with notes of 2 KB

"growth" is rows per second at a size, as a multiple of those at the smallest: measure 100000 and 10000000 together.
Files and databases lie in the temporary folder (TMPDIR): up to 6 GB a million rows, while "long" is measured.`;

interface Options {
  sizes: number[];
  wanted: ReadonlySet<Name>;
  rounds: number;
  withNode: boolean;
  json: string;
}

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());

try {
  await bench(readOptions(process.argv.slice(2)));
} catch (cause) {
  process.exitCode = stopping.signal.aborted ? 130 : 1;
  say(stopping.signal.aborted ? 'stopped' : cause instanceof SumsDiffer ? cause.message : cause);
}

async function bench(options: Options): Promise<void> {
  const results = await withGround(stopping.signal, async (ground) => {
    const takenOn = machine(ground.postgres);
    const taken: Taken[] = [];
    for (const rows of options.sizes) taken.push({ rows, pairs: await measureSize(ground, rows, options) });
    return { takenAt: new Date(), machine: takenOn, figures: figuresOf(taken) };
  });
  console.log(`${tableOf(results.figures)}\n\n${describeMachine(results.machine)}`);
  await writeFile(options.json, `${JSON.stringify(results, null, 2)}\n`);
}

async function measureSize(ground: Ground, rows: number, options: Options): Promise<Pair[]> {
  const { rounds, wanted, withNode } = options;
  const pairs: Pair[] = [];
  if ((['import', 'again', 'release', 'prepare', 'export'] as const).some((name) => wanted.has(name))) {
    const taken = await withFiles(ground, async (folder) => {
      const file = path.join(folder, 'sales.csv');
      await writeSales(file, rows, canonical);
      return inRounds(rows, rounds, (round) => {
        const byNode = withNode && wanted.has('import') && round.round === 0;
        return runWay(ground, { ...round, file, wanted, withNode: byNode });
      });
    });
    pairs.push(...taken.filter(({ bar }) => wanted.has(bar.name)));
  }
  for (const one of otherImports.filter(({ bar }) => wanted.has(bar.name))) {
    const taken = await withFiles(ground, async (folder) => {
      const files = await writeFiles(folder, rows, one);
      return inRounds(rows, rounds, (round) => runImport(ground, files, one, round));
    });
    pairs.push(...taken);
  }
  return pairs;
}

/** Lends a folder for large files, which are gone before the next are written. */
async function withFiles<T>(ground: Ground, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = path.join(ground.folder, 'input');
  await mkdir(folder);
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function inRounds(
  rows: number,
  rounds: number,
  run: (options: RoundOptions) => Promise<Pair[]>,
): Promise<Pair[]> {
  const pairs: Pair[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const about = `${rows.toLocaleString('en')} rows, round ${round + 1} of ${rounds}`;
    const onMeasured = (what: string, seconds: number) => say(`${about}  ${what}  ${seconds.toFixed(1)} s`);
    pairs.push(...(await run({ round, signal: stopping.signal, onMeasured })));
  }
  return pairs;
}

function readOptions(argv: string[]): Options {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      only: { type: 'string', default: names.join() },
      rounds: { type: 'string', default: '3' },
      'skip-node': { type: 'boolean', default: false },
      json: { type: 'string', default: path.join(import.meta.dirname, '../../bench-results.json') },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    process.exit();
  }
  const sizes = positionals.length === 0 ? [100_000, 1_000_000] : positionals.map(Number);
  const rounds = Number(values.rounds);
  const wanted = values.only.split(',') as Name[];
  const isUsage =
    [...sizes, rounds].every((value) => Number.isInteger(value) && value > 0) &&
    wanted.every((name) => names.includes(name));
  if (!isUsage) throw new Error(usage);
  return { sizes, rounds, wanted: new Set(wanted), withNode: !values['skip-node'], json: values.json };
}

function say(what: unknown): void {
  console.error(what);
}
