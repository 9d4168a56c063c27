import { access, mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { checkClock } from '../../src/commands/check-clock.ts';
import { connect } from '../../src/db/connect.ts';
import { showId } from '../../src/ids.ts';
import { executeRun } from '../../src/runs/run.ts';
import { nothing, spec, testContext } from '../runs/fixture.ts';
import { testDatabase } from '../support/database.ts';
import { payrun, payrunJson } from './payrun.ts';
import { configOf, workspace } from './workspace.ts';

interface Checked {
  problems: number;
  findings: { check: string; status: string; message: string; todo?: string }[];
}

let url: string;

beforeAll(async () => {
  url = (await testDatabase()).url;
});

const problemsOf = ({ findings }: Checked) => findings.filter(({ status }) => status === 'problem');

test('a check of a workspace that was never used does not make its database', async () => {
  const cwd = await workspace(configOf('fresh'));
  const { findings } = (await payrunJson(['check'], { cwd })) as Checked;
  expect(findings.find(({ check }) => check === 'database')).toMatchObject({
    status: 'note',
    message: expect.stringContaining('does not exist yet'),
  });
  await expect(access(path.join(cwd, '.payrun'))).rejects.toThrow('ENOENT');
});

test('what was not applied is a problem with code 2, until it is applied', async () => {
  const place = { cwd: await workspace(configOf('checked')), url };
  const before = (await payrunJson(['check'], place, 2)) as Checked;
  expect(problemsOf(before)).toMatchObject([
    { check: 'applied', todo: expect.stringContaining('payrun apply') },
  ]);
  await payrunJson(['apply'], place);
  expect(await payrunJson(['check'], place)).toMatchObject({ problems: 0 });
});

test('people who are paid by a method without a payout file are told', async () => {
  const place = { cwd: await workspace(configOf('by-bank')), url };
  await payrunJson(['apply'], place);
  const people = 'ref,name,status,payout_method,payout_destination\nwil,Wil,active,wise,wil@example.com\n';
  await writeFile(path.join(place.cwd, 'people.csv'), people);
  await payrunJson(['import', 'affiliates', 'people.csv'], place);
  const { findings, problems } = (await payrunJson(['check'], place)) as Checked;
  expect(problems).toBe(0);
  expect(findings.filter(({ check }) => check === 'payouts')).toMatchObject([
    { status: 'note', message: expect.stringContaining('wise has no payout file format yet: 1 affiliate') },
  ]);
});

test('every problem is told at once', async () => {
  const cwd = await workspace({
    ...configOf('many'),
    jobs: { nightli: { cron: '0 2 * * *', timezone: 'UTC' } },
  });
  await writeFile(path.join(cwd, 'outbox'), 'a file where a folder should be');
  const checked = (await payrunJson(
    ['check'],
    { cwd, url: 'postgres://nobody@127.0.0.1:1/x' },
    2,
  )) as Checked;
  expect(problemsOf(checked).map(({ check }) => check)).toEqual(['database', 'folder', 'jobs']);
});

test('every job of the workspace that cannot be loaded is named, and the others run all the same', async () => {
  const place = { cwd: await workspace(configOf('jobs')), url };
  await payrunJson(['apply'], place);
  await mkdir(path.join(place.cwd, 'jobs'));
  await writeFile(path.join(place.cwd, 'jobs', 'mine.ts'), 'export default 1;\n');
  await writeFile(path.join(place.cwd, 'jobs', 'yours.ts'), 'export default {\n');
  const { code, stdout } = await payrun(['check'], place);
  expect(code).toBe(2);
  expect(stdout).toMatch(/ok +jobs +8 can be loaded: audit,/);
  expect(stdout).toMatch(/problem +jobs .*jobs\/mine\.ts/);
  expect(stdout).toMatch(/problem +jobs .*jobs\/yours\.ts/);
  expect(stdout).toContain('2 problems.');
  const ran = await payrun(['run', 'release-holds'], place);
  expect(ran.code).toBe(0);
  expect(ran.stderr).toMatch(/warn .*jobs\/mine\.ts/);
  expect(ran.stderr).toMatch(/warn .*jobs\/yours\.ts/);
  const refused = await payrun(['run', 'mine'], place);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('error: This file exports no job. [job-invalid]');
});

test('what lies in the inbox and belongs to no source is mentioned', async () => {
  const cwd = await workspace(configOf('strays'));
  await mkdir(path.join(cwd, 'inbox', 'ofline'), { recursive: true });
  await writeFile(path.join(cwd, 'inbox', 'ofline', '1.csv'), '');
  await writeFile(path.join(cwd, 'inbox', 'stray.csv'), '');
  const { problems, findings } = (await payrunJson(['check'], { cwd })) as Checked;
  expect(problems).toBe(0);
  const notes = findings.filter(({ message }) => message.includes('belongs to no source'));
  expect(notes.map(({ check, status, message }) => [check, status, message.split(' ')[0]])).toEqual([
    ['folder', 'note', 'inbox/ofline/'],
    ['folder', 'note', 'inbox/stray.csv'],
  ]);
});

test('a database without our schema is a problem, and the check does not migrate it', async () => {
  const name = `payrun_bare_${process.pid}_${Date.now()}`;
  const admin = await connect(url, { connections: 1 });
  await admin.session(({ client }) => client.query(`create database ${name}`));
  try {
    const bare = new URL(url);
    bare.pathname = `/${name}`;
    const place = { cwd: await workspace(configOf('bare')), url: bare.href };
    for (const _ of ['first', 'second']) {
      const checked = (await payrunJson(['check'], place, 2)) as Checked;
      expect(problemsOf(checked)).toMatchObject([
        { check: 'schema', todo: expect.stringContaining('db migrate') },
      ]);
    }
    const refused = await payrun(['apply'], place);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('[database-schema]');
    const all = (await readdir('src/db/migrations')).sort();
    expect(await payrunJson(['db', 'migrate', '--dry-run'], place)).toMatchObject({
      migrations: all,
    });
    expect(await payrunJson(['db', 'migrate'], place)).toMatchObject({
      migrations: all,
    });
    expect(await payrunJson(['db', 'migrate'], place)).toMatchObject({ migrations: [] });
    expect((await payrun(['apply'], place)).code).toBe(0);
  } finally {
    await admin.session(({ client }) => client.query(`drop database ${name} with (force)`));
    await admin.close();
  }
});

test('a slot that was run before it had come, by a clock that was ahead, is a problem that is named', async () => {
  const { db, url } = await testDatabase();
  const place = { cwd: await workspace(configOf('ahead')), url };
  await payrunJson(['apply'], place);
  const account = await db.sql
    .selectFrom('account')
    .select(['account_id as id', 'ref'])
    .executeTakeFirstOrThrow();
  const run = (slot: Date) =>
    executeRun(testContext(db), account, spec({ job: 'nightly', slot }), async () => nothing);
  await run(new Date('2020-03-02T01:00:00Z'));
  expect(await payrunJson(['check'], place)).toMatchObject({ problems: 0 });
  const { runId } = await run(new Date(Date.now() + 400 * 86_400_000));
  expect(problemsOf((await payrunJson(['check'], place, 1)) as Checked)).toEqual([
    {
      check: 'clock',
      status: 'problem',
      message: expect.stringContaining(
        '1 run of nightly for the future, by the clock of the database, the latest at 20',
      ),
      todo: expect.stringContaining(showId('run', runId)),
      exitCode: 1,
    },
  ]);
});

test('a clock of this machine that is ahead of the database’s is a problem', async () => {
  const { db } = await testDatabase();
  const { config } = testContext(db);
  const ahead = () => new Date(Date.now() + 3 * 3_600_000);
  expect(await checkClock(config, db, () => new Date())).toEqual([]);
  expect(await checkClock(config, db, ahead)).toMatchObject([
    { check: 'clock', status: 'problem', message: expect.stringMatching(/is (3 h 0|2 h 59) min ahead of/) },
  ]);
});
