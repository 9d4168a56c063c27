import path from 'node:path';
import { bars, type Name, type Pair } from './bars.ts';
import type { Ground } from './ground.ts';
import { type Measured, measure, payrun } from './measure.ts';
import {
  assertBooks,
  measureOne,
  measurePair,
  type RoundOptions,
  sqlScript,
  type Variables,
  variablesOf,
  withTwo,
  yardsticks,
} from './pair.ts';
import { afterAllHolds } from './sales.ts';
import { assertSame, type Books, booksOf, reportSums } from './sums.ts';

export interface WayOptions extends RoundOptions {
  /** The sales to import. */
  file: string;
  withNode: boolean;
  /** The steps to measure, and with them those that they stand on. */
  wanted: ReadonlySet<Name>;
}

/** A step on the way: the databases, and what their scripts need. */
interface Step {
  ground: Ground;
  options: WayOptions;
  ours: string;
  theirs: string;
  variables: Variables;
}

/**
 * The whole way of one file, from import to export, twice: by Payrun in one database, by the yardsticks in another
 * that began equal. After each step both must hold the same money, else SumsDiffer is raised. The way ends with the last
 * step that is wanted.
 */
export async function runWay(ground: Ground, options: WayOptions): Promise<Pair[]> {
  const wants = (...names: Name[]) => names.some((name) => options.wanted.has(name));
  return withTwo(ground, async (ours, theirs) => {
    const step: Step = { ground, options, ours, theirs, variables: await variablesOf(theirs) };
    const pairs = await importSales(step);
    if (wants('again')) pairs.push(await importAgain(step));
    if (wants('release', 'prepare', 'export')) pairs.push(await release(step));
    if (!wants('prepare', 'export')) return pairs;
    const prepared = await prepare(step);
    pairs.push(prepared);
    if (wants('export')) pairs.push(await exportReport(step, prepared.ours));
    return pairs;
  });
}

async function importSales({ ground, options, ours, theirs, variables }: Step): Promise<Pair[]> {
  const { file, withNode } = options;
  const command = payrun(ground.workspace, ours, 'import', 'sales', file);
  const script = sqlScript('import', theirs, variables, { stdin: file });
  const imported = await measurePair(ground, options, bars.importByScript, command, script);
  const books = await assertBooks('import', ours, theirs, { withJournal: true });
  return withNode ? [imported, await importByNode(ground, options, imported.ours, books)] : [imported];
}

/** The plain Node script in a database of its own, beside the import that Payrun has just done. */
async function importByNode(
  ground: Ground,
  options: WayOptions,
  ours: Measured,
  books: Books,
): Promise<Pair> {
  const databaseUrl = await ground.create('bench_node');
  try {
    const { run } = await variablesOf(databaseUrl);
    const args = [path.join(yardsticks, 'import-by-node.ts'), options.file, run!];
    const theirs = await measureOne(ground, options, bars.importByNode.yardstick, { args, databaseUrl });
    assertSame('import by the Node script', books, await booksOf(databaseUrl, { withJournal: true }));
    return { bar: bars.importByNode, ours, theirs };
  } finally {
    await ground.drop('bench_node');
  }
}

async function importAgain({ ground, options, ours, theirs, variables }: Step): Promise<Pair> {
  const command = payrun(ground.workspace, ours, 'import', 'sales', options.file, '--again');
  const script = sqlScript('import', theirs, variables, { stdin: options.file });
  const again = await measurePair(ground, options, bars.again, command, script);
  await assertBooks('again', ours, theirs, { withJournal: true });
  return again;
}

async function release({ ground, options, ours, theirs, variables }: Step): Promise<Pair> {
  const command = payrun(ground.workspace, ours, 'release', '--as-of', afterAllHolds);
  const script = sqlScript('release', theirs, variables);
  const released = await measurePair(ground, options, bars.release, command, script);
  await assertBooks('release', ours, theirs, { withJournal: false });
  return released;
}

async function prepare({ ground, options, ours, theirs, variables }: Step): Promise<Pair> {
  await measure(sqlScript('payouts', theirs, variables), ground.folder, options.signal);
  const command = payrun(
    ground.workspace,
    ours,
    'payouts',
    'prepare',
    '--by',
    'ada',
    '--as-of',
    afterAllHolds,
  );
  const script = sqlScript('claim', theirs, variables);
  const prepared = await measurePair(ground, options, bars.prepare, command, script);
  await assertBooks('prepare', ours, theirs, { withJournal: false });
  return prepared;
}

async function exportReport(
  { ground, options, ours, theirs, variables }: Step,
  prepared: Measured,
): Promise<Pair> {
  const batch = JSON.parse(prepared.stdout).report.batches[0].batch;
  const report = path.join(ground.folder, 'report.csv');
  const detail = payrun(ground.workspace, ours, 'payouts', 'export', batch, '--detail');
  const copy = { ...sqlScript('export', theirs, variables), stdout: report };
  const exported = await measurePair(ground, options, bars.export, detail, copy);
  const { file } = JSON.parse(exported.ours.stdout).report.files[0];
  assertSame('export', await reportSums(path.join(ground.workspace, file)), await reportSums(report));
  return exported;
}
