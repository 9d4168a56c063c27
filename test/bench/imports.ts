import path from 'node:path';
import { connect } from '../../src/db/connect.ts';
import { type Bar, bars, type Pair } from './bars.ts';
import { writeReferrals, writeSales } from './files.ts';
import type { Ground } from './ground.ts';
import { measure, payrun } from './measure.ts';
import { assertBooks, measurePair, type RoundOptions, sqlScript, variablesOf, withTwo } from './pair.ts';
import { affonsoLog, asCharges, type Layout, longNotes, withoutNotes } from './sales-layouts.ts';
import { stripeLog } from './stripe-layout.ts';
import { wide } from './wide-layout.ts';

/** The sales in another layout than the canonical one, and what its import is held against. */
export interface OtherImport {
  bar: Bar;
  layout: Layout;
  command: readonly string[];
  /** What the yardstick reads, where it is not the same file. */
  instead?: Layout;
  script: 'import' | 'import-wide';
  /** The customers are known before. */
  withReferrals?: boolean;
}

export const otherImports: readonly OtherImport[] = [
  {
    bar: bars.events,
    layout: affonsoLog,
    command: ['events'],
    instead: withoutNotes,
    script: 'import',
    withReferrals: true,
  },
  { bar: bars.stripe, layout: stripeLog, command: ['events'], instead: asCharges, script: 'import' },
  { bar: bars.wide, layout: wide, command: ['sales', '--source', 'shop'], script: 'import-wide' },
  { bar: bars.long, layout: longNotes, command: ['sales'], script: 'import' },
];

interface Files {
  ours: string;
  theirs: string;
  referrals: string | undefined;
}

/** Writes the files of an import of `rows` sales to `folder`. */
export async function writeFiles(
  folder: string,
  rows: number,
  { layout, instead, withReferrals }: OtherImport,
): Promise<Files> {
  const ours = path.join(folder, layout.header === '' ? 'events.ndjson' : 'sales.csv');
  const theirs = instead ? path.join(folder, 'instead.csv') : ours;
  const referrals = withReferrals ? path.join(folder, 'referrals.csv') : undefined;
  await writeSales(ours, rows, layout);
  if (instead) await writeSales(theirs, rows, instead);
  if (referrals) await writeReferrals(referrals, rows);
  return { ours, theirs, referrals };
}

/**
 * The import by Payrun in one database, by the script in another that began equal. Both must come to the same money, else
 * SumsDiffer is raised; the lines of a log are numbered otherwise than those of a CSV.
 */
export async function runImport(
  ground: Ground,
  files: Files,
  { bar, command, instead, script }: OtherImport,
  options: RoundOptions,
): Promise<Pair[]> {
  return withTwo(ground, async (ours, theirs) => {
    if (files.referrals) await introduce(ground, ours, files.referrals, options.signal);
    const program = payrun(ground.workspace, ours, 'import', ...command, files.ours);
    const yardstick = sqlScript(script, theirs, await variablesOf(theirs), { stdin: files.theirs });
    const pair = await measurePair(ground, options, bar, program, yardstick);
    await assertBooks(bar.work, ours, theirs, { withJournal: true, withLines: !instead });
    return [pair];
  });
}

async function introduce(ground: Ground, url: string, file: string, signal: AbortSignal): Promise<void> {
  await measure(payrun(ground.workspace, url, 'import', 'referrals', file), ground.folder, signal);
  const db = await connect(url, { connections: 1 });
  await db.session(({ client }) => client.query('analyze'));
  await db.close();
}
