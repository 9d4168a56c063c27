/**
 * The scheduler in a process of its own: `node scheduler.ts <json>`. The first SIGTERM stops it, a second one
 * interrupts what is under way. Its log goes to stdout, one JSON line an event.
 */
import type { JobConfig } from '../../src/config.ts';
import { connect } from '../../src/db/connect.ts';
import { describeError, PayrunError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import { startScheduler } from '../../src/runs/schedule.ts';
import { testContext } from './fixture.ts';

export interface SchedulerOrder {
  url: string;
  workspace: string;
  account: string;
  jobs: Record<string, JobConfig>;
  /** The moment at which its clock stands; without one it has the real time. */
  now?: string;
}

const order = JSON.parse(process.argv[2]!) as SchedulerOrder;
const [stop, interrupt] = [new AbortController(), new AbortController()];
process.on('SIGTERM', () => (stop.signal.aborted ? interrupt : stop).abort());

const db = await connect(order.url, { signal: interrupt.signal });
const { now } = order;
const context = testContext(db, {
  signal: interrupt.signal,
  clock: () => (now === undefined ? new Date() : new Date(now)),
  log: createLog({ format: 'json', write: (line) => void process.stdout.write(line) }),
  config: {
    workspace: order.workspace,
    accounts: [{ ref: order.account, name: 'Acme', programs: [], sources: [] }],
    jobs: order.jobs,
  },
});
try {
  await startScheduler(context, { stop: stop.signal });
} catch (error) {
  if (!(error instanceof PayrunError)) throw error;
  process.stdout.write(`${JSON.stringify({ msg: describeError(error) })}\n`);
}
await db.close();
