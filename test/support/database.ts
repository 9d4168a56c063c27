import { afterAll, inject } from 'vitest';
import { connect, type Db } from '../../src/db/connect.ts';

let count = 0;

export interface TestDatabase {
  db: Db;
  url: string;
}

/** A database of this test file's own, cloned from the migrated template and dropped when the file is done. */
export async function testDatabase(): Promise<TestDatabase> {
  const name = `payrun_test_${process.pid}_${process.env.VITEST_POOL_ID ?? '0'}_${Date.now().toString(36)}_${count++}`;
  const serverUrl = inject('serverUrl');
  const admin = await connect(serverUrl, { connections: 1 });
  await admin.session(async ({ client }) => client.query(`create database ${name} template payrun_template`));
  await admin.close();
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const db = await connect(url.href);
  afterAll(async () => {
    await db.close();
    const again = await connect(serverUrl, { connections: 1 });
    await again.session(async ({ client }) => client.query(`drop database ${name} with (force)`));
    await again.close();
  });
  return { db, url: url.href };
}
