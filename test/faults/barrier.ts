import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import pg from 'pg';
import { type Place, start } from '../commands/payrun.ts';

/**
 * Runs a command until it is about to touch `table`, and kills it there with SIGKILL (or another signal). Returns its
 * exit code. A command that is asked to stop has to end by itself, while the lock still stands in its way.
 */
export async function stopAt(
  table: string,
  args: string[],
  place: Place & { url: string },
  signal: NodeJS.Signals = 'SIGKILL',
): Promise<number | null> {
  return atTable(table, args, place, async (child) => {
    const exit = once(child, 'exit') as Promise<[number | null]>;
    child.kill(signal);
    return (await exit)[0];
  });
}

/** Runs a command until it is about to touch `table`, and pauses it there; its session then gets the table and waits. */
export async function pauseAt(
  table: string,
  args: string[],
  place: Place & { url: string },
): Promise<ChildProcess> {
  return atTable(table, args, place, async (child) => {
    child.kill('SIGSTOP');
    return child;
  });
}

/**
 * Starts a command, and does `then` when it is about to touch `table`: a second connection holds a lock on the table
 * until `then` is done, and the database says when the command waits for it. No clock is involved but the polling of
 * that one question.
 */
async function atTable<T>(
  table: string,
  args: string[],
  place: Place & { url: string },
  then: (child: ChildProcess) => Promise<T>,
): Promise<T> {
  const holder = new pg.Client({ connectionString: place.url });
  await holder.connect();
  try {
    await holder.query('begin');
    await holder.query(`lock table ${table} in exclusive mode`);
    const child = start(args, place);
    let output = '';
    child.stderr?.on('data', (text) => {
      output += text;
    });
    child.stdout?.on('data', () => {});
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`the command ended (${code}) before it came to ${table}: ${output}`);
    });
    await Promise.race([someoneWaitsFor(holder, table), ended]);
    ended.catch(() => {});
    return await then(child);
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
