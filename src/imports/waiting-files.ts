import path from 'node:path';
import { PayrunError } from '../errors.ts';
import type { Work } from '../runs/work.ts';
import { type InputFile, withInputFile } from './files/open.ts';
import { sourcesOf } from './inbox.ts';
import { entryFault, waitingIn } from './inbox-entries.ts';
import { understand } from './sales/layout.ts';
import { UnusedColumns, warnOfUnused } from './sales/unused-columns.ts';
import { limitsFor, type Source, sourcesFor } from './source.ts';

/**
 * Sentences about the columns of the sales files that wait in the inbox which may decide what a row means and which
 * nothing uses, and about files that would be refused. Reads the files and changes nothing.
 */
export async function lookAtWaiting(work: Pick<Work, 'context' | 'account'>): Promise<string[]> {
  const { workspace } = work.context.config;
  const said: string[] = [];
  const { entries } = await waitingIn(workspace, sourcesOf(work, ['sales_csv']));
  for (const { file, source } of entries) {
    // `faultsOfInbox` tells of these, and they are not to be read.
    if (await entryFault(workspace, file)) continue;
    const name = path.relative(workspace, file);
    try {
      const sources = await sourcesFor(work, 'sales_csv', source, { isTrial: true });
      const look = (input: InputFile) => unusedIn(input, sources);
      const found = await withInputFile(
        file,
        work.context.signal,
        look,
        limitsFor(work, 'sales_csv', source),
      );
      said.push(...found.map((sentence) => `${name}: ${sentence}`));
    } catch (cause) {
      if (!(cause instanceof PayrunError) || cause.code === 'interrupted') throw cause;
      said.push(`${name} would be refused: ${cause.message}`);
    }
  }
  return said;
}

async function unusedIn(file: InputFile, sources: Source[]): Promise<string[]> {
  const { csv, columns, preset, source } = await understand(file, sources, async () => undefined);
  if (preset) return [];
  const unused = new UnusedColumns(csv.header, columns.values(), source.settings.ignore);
  for await (const group of csv.groups) unused.look(group);
  return warnOfUnused(unused.found());
}
