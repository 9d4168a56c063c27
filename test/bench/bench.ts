import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine, type Figure, figuresOf, machine, type Pair, tableOf } from './bars.ts';
import { withGround } from './ground.ts';
import { runRound } from './round.ts';
import { writeSales } from './sales-file.ts';
import { SumsDiffer } from './sums.ts';

const usage = `npm run bench -- [rows...] [--rounds 3] [--skip-node] [--json bench-results.json]

Measures import, import again, release, prepare and export beside what one would type instead: SQL scripts for
psql, and a plain Node script. It says so when a bar is missed, and fails only when the money differs.`;

interface Options {
  sizes: number[];
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
  const taken = await withGround(stopping.signal, async (ground) => {
    const takenOn = machine(ground.postgres);
    const figures: Figure[] = [];
    for (const rows of options.sizes) {
      const file = path.join(ground.folder, `sales-${rows}.csv`);
      await writeSales(file, rows);
      const pairs: Pair[] = [];
      for (let round = 0; round < options.rounds; round += 1) {
        const about = `${rows.toLocaleString('en')} rows, round ${round + 1} of ${options.rounds}`;
        const onMeasured = (what: string, seconds: number) =>
          say(`${about}  ${what}  ${seconds.toFixed(1)} s`);
        const withNode = options.withNode && round === 0;
        const { signal } = stopping;
        pairs.push(...(await runRound(ground, { file, round, withNode, signal, onMeasured })));
      }
      figures.push(...figuresOf(rows, pairs));
    }
    return { takenAt: new Date(), machine: takenOn, figures };
  });
  console.log(`${tableOf(taken.figures)}\n\n${describeMachine(taken.machine)}`);
  await writeFile(options.json, `${JSON.stringify(taken, null, 2)}\n`);
}

function readOptions(argv: string[]): Options {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
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
  if (![...sizes, rounds].every((value) => Number.isInteger(value) && value > 0)) throw new Error(usage);
  return { sizes, rounds, withNode: !values['skip-node'], json: values.json };
}

function say(what: unknown): void {
  console.error(what);
}
