import { readId } from '../../src/ids.ts';
import { releaseHolds } from '../../src/ledger/release.ts';
import { type Undone, undoImport } from '../../src/ledger/undo.ts';
import type { Desk } from '../support/desk.ts';
import { today } from '../support/world.ts';
import { prove } from './refunding.ts';
import { header } from './selling.ts';

/** Imports rows as a file of their own, with more columns when they are named; returns the UUID of the import. */
export async function landFile(desk: Desk, rows: string[], more = ''): Promise<string> {
  const { report } = await desk.land('sales', `${[header + more, ...rows].join('\n')}\n`, { again: true });
  return readId(report.import)!.id;
}

/** Undoes an import in a transaction of its own, which ends with the audit. */
export async function undo(
  { world }: Desk,
  importId: string,
  { by = 'Ada', reason = 'the wrong file' } = {},
): Promise<Undone> {
  return world.db.transaction(async (session) => {
    const undone = await undoImport(session, world.mover, { importId, by, reason });
    await prove(session, world);
    return undone;
  });
}

export async function release({ world }: Desk, asOf = today): Promise<void> {
  await world.db.transaction((session) => releaseHolds(session, world.mover, { asOf }));
}
