import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { newId } from '../../src/ids.ts';
import { withOutbox } from '../../src/payouts/files.ts';
import { exportPayouts } from '../../src/payouts/payout.ts';
import { temporaryName } from '../../src/runs/leftovers.ts';
import { testDatabase } from '../support/database.ts';
import { emptyFolder } from '../support/folder.ts';
import { today } from '../support/world.ts';
import { preparedBatch, three } from './batch-fixture.ts';

const { db } = await testDatabase();

test('a file that appears at the last moment, when all names were found free, is not overwritten', async () => {
  const folder = path.join(await emptyFolder(), 'outbox');
  const owner = { batch: 'pob_1', runId: newId(today), fileMode: 0o600 };
  const placing = withOutbox(folder, owner, async (outbox) => {
    const first = { ...(await outbox.write(['first'])), name: 'a.csv' };
    // Both names are found free before either is taken.
    const second = { ...(await outbox.write(['second'])), name: 'a.csv' };
    return outbox.place([first, second], { dryRun: false });
  });
  await expect(placing).rejects.toMatchObject({ code: 'file-exists' });
  expect(await readFile(path.join(folder, 'a.csv'), 'utf8')).toBe('first');
});

test('files and folder may be read by their owner alone, or by the group that payrun.json lets in', async () => {
  for (const [fileMode, folder] of [
    [0o600, 0o700],
    [0o640, 0o750],
  ] as const) {
    const batch = await preparedBatch(db, three);
    await batch.export({}, { fileMode });
    await batch.export({ batchId: batch.batchId, detail: true }, { fileMode });
    const modeOf = async (name: string) => (await stat(path.join(batch.workspace, name))).mode & 0o777;
    const names = Object.keys(await batch.outbox());
    expect(names).toHaveLength(4);
    for (const name of names) expect([name, await modeOf(`outbox/${name}`)]).toEqual([name, fileMode]);
    expect(await modeOf('outbox')).toBe(folder);
  }
});

test('what a killed export has left goes with the next, also of a batch that is never exported again', async () => {
  const batch = await preparedBatch(db, three);
  const [killed, alive] = [await batch.world.run('killed'), await batch.world.run('alive')];
  await batch.export({}, { dryRun: true });
  const left = (run: string) => temporaryName(run, 'pob_00000000000000000000000000.');
  const [ofKilled, ofAlive] = [left(killed), left(alive)];
  for (const name of [ofKilled, ofAlive, '.mine.part'])
    await writeFile(path.join(batch.workspace, 'outbox', name), 'half a fi');
  await db.sql
    .updateTable('run')
    .set({ status: 'lost' })
    .where('account_id', '=', batch.world.accountId)
    .where('id', '=', killed)
    .execute();
  const work = batch.work();
  work.context.config.accounts.push({
    ref: batch.world.accountRef,
    name: 'Acme Inc.',
    programs: [],
    sources: [],
  });
  await exportPayouts(work, {});
  const names = Object.keys(await batch.outbox()).filter((name) => name.startsWith('.'));
  expect(names.sort()).toEqual([ofAlive, '.mine.part'].sort());
});
