import { spawn, spawnSync } from 'node:child_process';
import { chmod, chown, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testDatabase } from '../support/database.ts';
import { emptyFolder } from '../support/folder.ts';
import { ended, payrun } from './payrun.ts';
import { openShop, type Shop } from './shop.ts';
import { configOf, workspace } from './workspace.ts';

const { db, url } = await testDatabase();

/** As an administrator of the server. */
const sql = (text: string) => db.session(({ client }) => client.query(text));

describe('a role of the user’s own server', () => {
  const suffix = new URL(url).pathname.slice(1).replace('payrun_test', '');
  const roles: string[] = [];
  const databases: string[] = [];

  /** The address as a new role with these properties sees it. */
  async function roleUrl(name: string, properties = '', at = url): Promise<string> {
    const role = `${name}${suffix}`;
    roles.push(role);
    await sql(`create role "${role}" login password 'pw' ${properties}`);
    const address = new URL(at);
    address.username = role;
    address.password = 'pw';
    return address.href;
  }

  afterAll(async () => {
    for (const name of databases) await sql(`drop database "${name}" with (force)`);
    for (const role of roles) {
      await sql(`drop owned by "${role}" cascade`);
      await sql(`drop role "${role}"`);
    }
  });

  async function toldAtApply(as: string): Promise<{ code: number | null; stderr: string }> {
    const cwd = await workspace(configOf(`acme-${roles.length}`));
    return payrun(['apply'], { cwd, url: as });
  }

  const grantIn = (stderr: string) => /to do: .*?: (GRANT .*;)$/m.exec(stderr)?.[1] ?? 'no grant';

  test('that may create nothing in "public" is told the right that it lacks, and the GRANT that helps', async () => {
    const name = `empty${suffix}`;
    databases.push(name);
    await sql(`create database "${name}"`);
    const at = new URL(url);
    at.pathname = `/${name}`;
    const as = await roleUrl('nobody', '', at.href);
    const cwd = await workspace(configOf('acme'));
    const refused = await payrun(['db', 'migrate'], { cwd, url: as });
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('lacks the right CREATE on the schema public');
    expect(refused.stderr).toContain('[database-denied]');
    const grant = grantIn(refused.stderr);
    expect(grant).toBe(`GRANT USAGE, CREATE ON SCHEMA "public" TO "nobody${suffix}";`);
    const child = spawn(process.execPath, ['--input-type=module', '-e', runSql], {
      env: { ...process.env, AT: at.href, SQL: grant },
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
    });
    expect(await ended(child)).toMatchObject({ code: 0, stderr: '' });
    expect((await payrun(['db', 'migrate'], { cwd, url: as })).code).toBe(0);
    expect((await payrun(['apply'], { cwd, url: as })).code).toBe(0);
  });

  test('that may not read the tables is told which, and the GRANT that helps', async () => {
    const as = await roleUrl('reader');
    const refused = await toldAtApply(as);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/lacks the right to read or change the table \w+/);
    await sql(grantIn(refused.stderr));
    expect((await toldAtApply(as)).code).toBe(0);
  });

  test('that may only read is told so, and with which setting', async () => {
    const as = await roleUrl('standby');
    await sql(`grant all on all tables in schema public to "standby${suffix}"`);
    await sql(`alter role "standby${suffix}" set default_transaction_read_only = on`);
    const { code, stderr } = await toldAtApply(as);
    expect([code, stderr]).toEqual([2, expect.stringContaining('[database-read-only]')]);
    expect(stderr).toContain('default_transaction_read_only');
  });

  test.each([
    ['lock_timeout', 'database-busy'],
    ['statement_timeout', 'database-canceled'],
  ])('whose %s passes while another session holds a lock is told so', async (setting, expected) => {
    const as = await roleUrl(setting);
    await sql(`grant all on all tables in schema public to "${setting}${suffix}"`);
    await sql(`alter role "${setting}${suffix}" set ${setting} = '700ms'`);
    await db.transaction(async ({ client }) => {
      await client.query('lock table account in share row exclusive mode');
      const { code, stderr } = await toldAtApply(as);
      expect([code, stderr]).toEqual([1, expect.stringContaining(`[${expected}]`)]);
    });
  });

  test.each([
    ['a wrong password', (as: URL) => (as.password = 'guess'), 'database-login', 2],
    ['a database that is not there', (as: URL) => (as.pathname = '/nowhere'), 'database-login', 2],
  ])('with %s is told so at once', async (_, spoil, expected, exitCode) => {
    const as = new URL(await roleUrl(`login${roles.length}`));
    spoil(as);
    const { code, stderr } = await toldAtApply(as.href);
    expect([code, stderr]).toEqual([exitCode, expect.stringContaining(`[${expected}]`)]);
    expect(stderr).not.toContain('guess');
  });

  test('that may have no connection is told so', async () => {
    const { code, stderr } = await toldAtApply(await roleUrl('crowd', 'connection limit 0'));
    expect([code, stderr]).toEqual([1, expect.stringContaining('[database-exhausted]')]);
    expect(stderr).toContain('CONNECTION LIMIT');
  });
});

const runSql = `
  const { default: pg } = await import('pg');
  const client = new pg.Client(process.env.AT);
  await client.connect();
  await client.query(process.env.SQL);
  await client.end();
`;

describe('the system', () => {
  let shop: Shop;
  beforeAll(async () => {
    shop = await openShop(url);
  });

  const badSale =
    'external_id,affiliate,amount,currency,occurred_at\nX-1,nobody,1.00,USD,2026-01-11T12:00:00Z\n';

  /** Imports a file whose row is rejected, so that the folder for rejects is needed. */
  async function importRejected(command: (args: string[]) => string[] = (args) => args) {
    await writeFile(path.join(shop.cwd, 'bad.csv'), badSale);
    const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
    const [program, ...args] = command([process.execPath, cli, 'import', 'sales', 'bad.csv', '--again']);
    const asNobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const env = { PATH: process.env.PATH, DATABASE_URL: url, USER: 'ada' };
    return ended(
      spawn(program!, args, { cwd: shop.cwd, env, stdio: ['ignore', 'pipe', 'pipe'], ...asNobody }),
    );
  }

  const rejects = () => path.join(shop.cwd, 'rejects');

  test('that lets nobody write into rejects/ is told with the folder', async () => {
    await chmod(shop.cwd, 0o755);
    await mkdir(rejects(), { recursive: true });
    await chmod(rejects(), 0o555);
    const { code, stderr } = await importRejected();
    await chmod(rejects(), 0o755);
    expect([code, stderr]).toEqual([2, expect.stringContaining('[no-permission]')]);
    expect(stderr).toContain('"rejects/"');
  });

  test('that finds a file where rejects/ belongs is told with the path', async () => {
    await rm(rejects(), { recursive: true, force: true });
    await writeFile(rejects(), '');
    const { code, stderr } = await importRejected();
    await rm(rejects());
    expect([code, stderr]).toEqual([2, expect.stringContaining('[wrong-path]')]);
  });

  test('that has no room left on the disk of rejects/ is told so', async (context) => {
    await mkdir(rejects(), { recursive: true });
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4k,mode=777', 'tmpfs', rejects()]);
    if (mounted.status !== 0) return context.skip('no file system can be mounted here');
    try {
      await writeFile(path.join(rejects(), 'full'), 'x'.repeat(4096)).catch(() => {});
      const { code, stderr } = await importRejected();
      expect([code, stderr]).toEqual([1, expect.stringContaining('[disk-full]')]);
    } finally {
      spawnSync('umount', [rejects()]);
    }
  });

  test.each([
    ['names longer than it can have', async (_: string) => 'x'.repeat(300)],
    [
      'links that lead round in a circle',
      async (folder: string) => {
        await symlink('loop', path.join(folder, 'loop'));
        return 'loop';
      },
    ],
    [
      'payrun.json as a folder',
      async (folder: string) => {
        await mkdir(path.join(folder, 'payrun.json'));
        return '.';
      },
    ],
  ])('with %s is told what is wrong with the path', async (_, prepare) => {
    const cwd = await emptyFolder();
    const { code, stderr } = await payrun(['check', '--workspace', await prepare(cwd)], { cwd });
    expect([code, stderr]).toEqual([2, expect.stringContaining('[wrong-path]')]);
  });

  test('that closes payrun.json to this user is told so, and not that there is none', async (context) => {
    if (process.getuid?.() !== 0) return context.skip('only root can become somebody else');
    const cwd = await workspace(configOf('acme'));
    await chmod(cwd, 0o755);
    await chmod(path.join(cwd, 'payrun.json'), 0o600);
    await chown(path.join(cwd, 'payrun.json'), 0, 0);
    const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
    const child = spawn(process.execPath, [cli, 'check'], { cwd, uid: 65_534, gid: 65_534 });
    const { code, stderr } = await ended(child);
    expect([code, stderr]).toEqual([2, expect.stringContaining('[no-permission]')]);
    expect(stderr).toContain('payrun.json');
  });

  test('whose standard output is full is told so', async () => {
    const cwd = await workspace(configOf('acme'));
    const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
    const shell = ['-c', 'exec "$0" "$1" --help > /dev/full', process.execPath, cli];
    const { code, stderr } = await ended(spawn('sh', shell, { cwd }));
    expect([code, stderr]).toEqual([1, expect.stringContaining('[disk-full]')]);
  });

  test.each(['/dev/zero', 'pipe'])(
    'that has %s for a file is told at once, and to use standard input',
    async (file) => {
      spawnSync('mkfifo', [path.join(shop.cwd, 'pipe')]);
      const { code, stderr } = await payrun(['import', 'sales', file], shop);
      expect([code, stderr]).toEqual([2, expect.stringContaining('[file-unreadable]')]);
      expect(stderr).toContain('standard input');
    },
  );
});
