import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';

/**
 * Cancels what `client` does on the server at `url`, until it is `returned`: a cancel that comes between two statements
 * is lost, so it is sent again and again. Raises nothing.
 */
export async function cancelStatements(
  url: string | undefined,
  client: pg.PoolClient,
  returned: AbortSignal,
): Promise<void> {
  const canceller = new pg.Client({ connectionString: url });
  canceller.on('error', () => {});
  const { processID } = client as unknown as { processID: number };
  try {
    await canceller.connect();
    while (!returned.aborted) {
      await canceller.query('select pg_cancel_backend($1)', [processID]);
      await wait(100, undefined, { signal: returned });
    }
  } catch {
    // The session was returned, or the server is gone, and the statement with it.
  } finally {
    await canceller.end().catch(() => {});
  }
}
