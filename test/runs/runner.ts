/**
 * A runner in a process of its own, for tests that pause and kill it: `node runner.ts <json>`. It says where it is
 * in lines of JSON on stdout, and waits for a word on stdin before it goes on.
 */
import { createInterface } from 'node:readline';
import { connect } from '../../src/db/connect.ts';
import { PayrunError } from '../../src/errors.ts';
import { executeRun } from '../../src/runs/run.ts';
import { spec, testContext } from './fixture.ts';

export interface RunnerOrder {
  url: string;
  account: { id: number; ref: string };
  job?: string;
  slot?: string;
  /** The programme that it renames while it works, under a lock that the next runner needs as well. */
  programId: string;
  name: string;
}

const order = JSON.parse(process.argv[2]!) as RunnerOrder;
const words = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (event: string, detail: object = {}) =>
  process.stdout.write(`${JSON.stringify({ event, ...detail })}\n`);

async function wait(word: string): Promise<void> {
  const next = await words.next();
  if (next.value !== word) throw new Error(`waited for "${word}", got "${next.value}"`);
}

const db = await connect(order.url);
const slot = order.slot === undefined ? {} : { slot: new Date(order.slot) };
const context = testContext(db, { clock: () => new Date() });
say('ready');
await wait('start');
try {
  const result = await executeRun(
    context,
    order.account,
    spec({ ...slot, ...(order.job === undefined ? {} : { job: order.job }) }),
    async (work) => {
      say('began', { runId: work.runId });
      await wait('work');
      return work.transaction(async ({ client }) => {
        const where = [order.account.id, order.programId, order.name];
        await client.query('update program set name = $3 where account_id = $1 and id = $2', where);
        say('worked');
        await wait('commit');
        return { counts: { renamed: 1 }, totals: {} };
      });
    },
    { pause: async () => {} },
  );
  say('ended', { status: result.status });
} catch (error) {
  say('raised', { code: error instanceof PayrunError ? error.code : String(error) });
}
await db.close();
process.exit();
