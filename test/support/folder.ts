import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';

const made: string[] = [];

// Here, not in the function: a test that is running can't say any more what is to be done after all of them.
afterAll(async () => {
  // A server that stops meanwhile may still write a last file.
  for (const folder of made) await rm(folder, { recursive: true, force: true, maxRetries: 10 });
});

/** A new empty folder, removed when all tests of the file are done. */
export async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'payrun-test-'));
  made.push(folder);
  return folder;
}
