import path from 'node:path';
import { connect } from '../../src/db/connect.ts';
import { newId } from '../../src/ids.ts';
import type { Bar, Pair } from './bars.ts';
import type { Ground } from './ground.ts';
import { type Measured, measure, type Program } from './measure.ts';
import { afterAllHolds } from './sales.ts';
import { assertSame, type Books, booksOf, type Compared } from './sums.ts';

export interface RoundOptions {
  /** From 0; in every other round the yardstick goes first. */
  round: number;
  signal: AbortSignal;
  /** Told of each measurement and its time after it. */
  onMeasured(what: string, seconds: number): void;
}

/** The scripts take ids from the database that they run in. */
export type Variables = Record<string, string>;

export const yardsticks = path.join(import.meta.dirname, 'yardsticks');

/** Lends two databases that begin equal to `work`: one for Payrun, one for the yardstick. */
export async function withTwo<T>(
  ground: Ground,
  work: (ours: string, theirs: string) => Promise<T>,
): Promise<T> {
  const ours = await ground.create('bench_payrun');
  const theirs = await ground.create('bench_yardstick');
  try {
    return await work(ours, theirs);
  } finally {
    await ground.drop('bench_payrun');
    await ground.drop('bench_yardstick');
  }
}

/** Measures a program of ours and one of the yardstick, one after the other. */
export async function measurePair(
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

export async function measureOne(
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

/** Raises SumsDiffer unless both databases hold the same money after `work`; returns what they hold. */
export async function assertBooks(
  work: string,
  ours: string,
  theirs: string,
  compared: Compared,
): Promise<Books> {
  const books = await booksOf(ours, compared);
  assertSame(work, books, await booksOf(theirs, compared));
  return books;
}

/** A script of the yardsticks, by its name. */
export function sqlScript(
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
export async function variablesOf(databaseUrl: string): Promise<Variables> {
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
