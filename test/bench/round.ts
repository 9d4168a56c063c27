import path from 'node:path';
import { connect } from '../../src/db/connect.ts';
import { newId } from '../../src/ids.ts';
import { type Bar, bars, type Pair } from './bars.ts';
import type { Ground } from './ground.ts';
import { type Measured, measure, type Program, payrun } from './measure.ts';
import { afterAllHolds } from './sales-file.ts';
import { assertSame, booksOf, reportSums } from './sums.ts';

export interface RoundOptions {
  /** The sales to import. */
  file: string;
  /** From 0; in every other round the yardstick goes first. */
  round: number;
  withNode: boolean;
  signal: AbortSignal;
  /** Told before each measurement and with its time after it. */
  onMeasured(what: string, seconds: number): void;
}

/** The scripts take ids from the database that they run in. */
type Variables = Record<string, string>;

const yardsticks = path.join(import.meta.dirname, 'yardsticks');

/**
 * The whole way of one file, from import to export, twice: by Payrun in one database, by the yardsticks in another
 * that began equal. After each step both must hold the same money, else SumsDiffer is raised.
 */
export async function runRound(ground: Ground, options: RoundOptions): Promise<Pair[]> {
  const ours = await ground.create('bench_payrun');
  const theirs = await ground.create('bench_yardstick');
  try {
    const pairs = await importAndAgain(ground, options, ours, theirs);
    return [...pairs, ...(await releaseToExport(ground, options, ours, theirs))];
  } finally {
    await ground.drop('bench_payrun');
    await ground.drop('bench_yardstick');
  }
}

async function importAndAgain(
  ground: Ground,
  options: RoundOptions,
  ours: string,
  theirs: string,
): Promise<Pair[]> {
  const { file, withNode } = options;
  const command = payrun(ground.workspace, ours, 'import', 'sales', file);
  const script = sqlScript('import', theirs, await variablesOf(theirs), { stdin: file });
  const imported = await measurePair(ground, options, bars.importByScript, command, script);
  const books = await assertBooks('import', ours, theirs, true);
  const byNode = withNode ? [await importByNode(ground, options, imported.ours, books)] : [];
  const repeated = { ...command, args: [...command.args, '--again'] };
  const again = await measurePair(ground, options, bars.again, repeated, script);
  await assertBooks('again', ours, theirs, true);
  return [imported, ...byNode, again];
}

/** The plain Node script in a database of its own, beside the import that Payrun has just done. */
async function importByNode(
  ground: Ground,
  options: RoundOptions,
  ours: Measured,
  books: string,
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

async function releaseToExport(
  ground: Ground,
  options: RoundOptions,
  ours: string,
  theirs: string,
): Promise<Pair[]> {
  const variables = await variablesOf(theirs);
  const command = (...args: string[]) => payrun(ground.workspace, ours, ...args);
  const script = (name: string) => sqlScript(name, theirs, variables);

  const release = command('release', '--as-of', afterAllHolds);
  const released = await measurePair(ground, options, bars.release, release, script('release'));
  await assertBooks('release', ours, theirs, false);

  await measure(script('payouts'), ground.folder, options.signal);
  const prepare = command('payouts', 'prepare', '--as-of', afterAllHolds);
  const prepared = await measurePair(ground, options, bars.prepare, prepare, script('claim'));
  await assertBooks('prepare', ours, theirs, false);

  const batch = JSON.parse(prepared.ours.stdout).report.batches[0].batch;
  const report = path.join(ground.folder, 'report.csv');
  const detail = command('payouts', 'export', batch, '--detail');
  const copy = { ...script('export'), stdout: report };
  const exported = await measurePair(ground, options, bars.export, detail, copy);
  const { file } = JSON.parse(exported.ours.stdout).report.files[0];
  assertSame('export', await reportSums(path.join(ground.workspace, file)), await reportSums(report));
  return [released, prepared, exported];
}

async function measurePair(
  ground: Ground,
  options: RoundOptions,
  bar: Bar,
  ours: Program,
  theirs: Program,
): Promise<Pair> {
  const first = options.round % 2 === 0 ? ours : theirs;
  const second = first === ours ? theirs : ours;
  const nameOf = (program: Program) => `${bar.work}: ${program === ours ? 'Payrun' : bar.yardstick}`;
  const one = await measureOne(ground, options, nameOf(first), first);
  const other = await measureOne(ground, options, nameOf(second), second);
  return first === ours ? { bar, ours: one, theirs: other } : { bar, ours: other, theirs: one };
}

async function measureOne(
  ground: Ground,
  { signal, onMeasured }: RoundOptions,
  what: string,
  program: Program,
): Promise<Measured> {
  await ground.checkpoint();
  const measured = await measure(program, ground.folder, signal);
  onMeasured(what, measured.seconds);
  return measured;
}

async function assertBooks(
  work: string,
  ours: string,
  theirs: string,
  withJournal: boolean,
): Promise<string> {
  const books = await booksOf(ours, { withJournal });
  assertSame(work, books, await booksOf(theirs, { withJournal }));
  return books;
}

function sqlScript(
  name: string,
  databaseUrl: string,
  variables: Variables,
  files: { stdin?: string } = {},
): Program {
  const settings = Object.entries(variables).map(([key, value]) => `${key}=${value}`);
  const runner = path.join(yardsticks, 'run-script.ts');
  return { args: [runner, path.join(yardsticks, `${name}.sql`), ...settings], databaseUrl, ...files };
}

/** Any run will do for the yardsticks to put their rows under: the one that imported the affiliates. */
async function variablesOf(databaseUrl: string): Promise<Variables> {
  const db = await connect(databaseUrl, { connections: 1 });
  try {
    const row = await db.sql
      .selectFrom('program')
      .innerJoin('run', 'run.account_id', 'program.account_id')
      .select(['program.account_id as account', 'program.id as program', 'run.id as run'])
      .executeTakeFirstOrThrow();
    const account = String(row.account);
    return { account, program: row.program, run: row.run, import: newId(new Date()), as_of: afterAllHolds };
  } finally {
    await db.close();
  }
}
