import { once } from 'node:events';
import pg from 'pg';
import { type Place, start } from '../commands/payrun.ts';

/**
 * Runs a command until it is about to touch `table`, and kills it there with SIGKILL (or another signal): a second
 * connection holds a lock on the table, and the database says when the command waits for it. No clock is involved
 * but the polling of that one question.
 */
export async function stopAt(
  table: string,
  args: string[],
  place: Place & { url: string },
  signal: NodeJS.Signals = 'SIGKILL',
): Promise<number | null> {
  const holder = new pg.Client({ connectionString: place.url });
  await holder.connect();
  try {
    await holder.query('begin');
    await holder.query(`lock table ${table} in exclusive mode`);
    const child = start(args, place);
    const exit = once(child, 'exit') as Promise<[number | null]>;
    let output = '';
    child.stderr?.on('data', (text) => {
      output += text;
    });
    child.stdout?.on('data', () => {});
    const ended = exit.then(([code]) => {
      throw new Error(`the command ended (${code}) before it came to ${table}: ${output}`);
    });
    await Promise.race([someoneWaitsFor(holder, table), ended]);
    ended.catch(() => {});
    child.kill(signal);
    // A command that is asked to stop has to end by itself, while the lock still stands in its way.
    return (await exit)[0];
  } finally {
    await holder.query('rollback').catch(() => {});
    await holder.end();
  }
}

async function someoneWaitsFor(holder: pg.Client, table: string): Promise<void> {
  for (;;) {
    const waiting = await holder.query(
      'select 1 from pg_locks where not granted and relation = $1::regclass',
      [table],
    );
    if (waiting.rows.length > 0) return;
    await holder.query('select pg_sleep(0.02)');
  }
}
