import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createKey } from '../../src/db/api-keys.ts';
import { connect } from '../../src/db/connect.ts';
import { type Ground, withGround } from './ground.ts';
import { type Load, load } from './requests-load.ts';

/*
 * Conversions by request, beside the handler that an engineer would write: `npm run bench:requests -- [seconds] [rounds]`.
 * Both serve the same database server; each round takes one client, then fifty, of either, one after the other.
 */

const [seconds = 8, rounds = 3] = process.argv.slice(2).map(Number);
const dist = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const handler = fileURLToPath(new URL('./yardsticks/handler.ts', import.meta.url));
const crowd = 50;
/** The limit of a key would end the measurement: many take turns. */
const keysOfCrowd = 6_000;

await withGround(new AbortController().signal, async (ground) => {
  const lines: string[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    for (const clients of [1, crowd]) {
      const ours = await ofPayrun(ground, clients);
      const theirs = await ofHandler(ground, clients);
      lines.push(line(`${clients}`, ours, theirs));
      process.stderr.write(`${lines.at(-1)}\n`);
    }
  }
  process.stdout.write(
    `${['clients  payrun/s  p50 ms  p99 ms  handler/s  p50 ms  p99 ms  ratio', ...lines].join('\n')}\n`,
  );
});

function line(clients: string, ours: Load, theirs: Load): string {
  const figures = [ours.perSecond, ours.p50, ours.p99, theirs.perSecond, theirs.p50, theirs.p99];
  const ratio = (ours.perSecond / theirs.perSecond).toPrecision(3);
  return [
    clients.padStart(7),
    ...figures.map((one) => one.toPrecision(4).padStart(8)),
    ratio.padStart(6),
  ].join(' ');
}

async function ofPayrun(ground: Ground, clients: number): Promise<Load> {
  const url = await ground.create('requests');
  try {
    const db = await connect(url, { connections: 1 });
    const account = await db.sql.selectFrom('account').select('account_id').executeTakeFirstOrThrow();
    const wanted = {
      name: 'bench',
      kind: 'affilut',
      scopes: ['write'],
      sourceId: null,
      now: new Date(),
    } as const;
    const keys: string[] = [];
    for (let n = 0; n < keysOfCrowd; n += 1)
      keys.push((await createKey(db, account.account_id, { ...wanted, scopes: ['write'] }, undefined)).text);
    await db.close();
    const server = await serving([dist, 'serve', '--port', '0'], ground.workspace, { DATABASE_URL: url });
    try {
      return await load(server.url, {
        clients,
        seconds,
        keyOf: (n) => keys[Math.floor(n / 29) % keys.length]!,
      });
    } finally {
      await server.stop();
    }
  } finally {
    await ground.drop('requests');
  }
}

async function ofHandler(ground: Ground, clients: number): Promise<Load> {
  const url = await ground.create('handled');
  try {
    const server = await serving([handler], ground.workspace, { DATABASE_URL: url });
    try {
      return await load(server.url, { clients, seconds, keyOf: () => 'none' });
    } finally {
      await server.stop();
    }
  } finally {
    await ground.drop('handled');
  }
}

async function serving(args: string[], cwd: string, env: Record<string, string>) {
  const child: ChildProcess = spawn(process.execPath, args, {
    cwd: path.resolve(cwd),
    env: { ...process.env, ...env, PAYRUN_LOG: 'json' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const url = await new Promise<string>((resolve, reject) => {
    let said = '';
    child.stderr!.on('data', (piece: Buffer) => {
      if (said.length < 10_000) said += piece;
      const [, found] = /Listening at (\S+)/.exec(said) ?? [];
      if (found) resolve(found);
    });
    child.once('close', () => reject(new Error(said)));
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  return {
    url,
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}
