import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { connect } from '../../src/db/connect.ts';
import { joinEmbedded } from '../../src/db/embedded.ts';
import { migrate } from '../../src/db/migrate.ts';

declare module 'vitest' {
  interface ProvidedContext {
    serverUrl: string;
  }
}

/** One server for the whole run, with a migrated template that every test file clones. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'payrun-test-'));
  const server = await joinEmbedded(path.join(folder, 'postgres'), {
    settings: { fsync: 'off', shared_buffers: '64MB', synchronous_commit: 'off', max_connections: '200' },
  });
  const admin = await connect(server.url);
  await admin.session(async ({ client }) => client.query('create database payrun_template'));
  const template = await connect(databaseUrl(server.url, 'payrun_template'));
  await migrate(template, new Date());
  await template.close();
  await admin.close();
  project.provide('serverUrl', server.url);
  return async () => {
    await server.release();
    await rm(folder, { recursive: true, force: true });
  };
}

function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}
