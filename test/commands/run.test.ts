import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { payrun, payrunJson } from './payrun.ts';
import { openShop, type Shop } from './shop.ts';

interface Ran {
  run: string | null;
  job: string;
  as_of: string;
  status: string;
  counts: Record<string, number>;
  totals: Record<string, Record<string, string>>;
}

let database: TestDatabase;
let shop: Shop;

beforeAll(async () => {
  database = await testDatabase();
  shop = await openShop(database.url);
  await mkdir(path.join(shop.cwd, 'jobs'));
  await writeFile(
    path.join(shop.cwd, 'jobs', 'greet.ts'),
    `import { defineJob, z } from 'payrun';
export default defineJob({
  name: 'greet',
  summary: 'Greet somebody.',
  parameters: { name: z.string(), times: z.int().default(1), note: z.string().optional() },
  run: async (work, { name, times, note }) => {
    const outcome = { counts: { greetings: times }, totals: {}, report: { name, note } };
    return name === 'nobody' ? { ...outcome, exitCode: 3 } : outcome;
  },
});
`,
  );
});

test('a dry run shows what would happen and keeps nothing, not even itself', async () => {
  const before = await payrunJson(['runs', 'list'], shop);
  const ran = (await payrunJson(['release', '--as-of', '2026-02-10', '--dry-run'], shop)) as Ran;
  expect(ran).toMatchObject({ run: null, dry_run: true, totals: { USD: { released: '300.00' } } });
  expect(await payrunJson(['runs', 'list'], shop)).toEqual(before);
  expect(await payrunJson(['explain', 'INV-1'], shop)).toMatchObject({ commission: { status: 'pending' } });
});

test("--as-of is read in the job's zone, else in UTC, unless it names an offset", async () => {
  const asOf = async (job: string, text: string) =>
    ((await payrunJson(['run', job, '--as-of', text, '--dry-run'], shop)) as Ran).as_of;
  expect(await asOf('nightly', '2025-07-01')).toBe('2025-06-30T22:00:00.000Z');
  expect(await asOf('nightly', '2025-07-01T02:00')).toBe('2025-07-01T00:00:00.000Z');
  expect(await asOf('nightly', '2025-07-01T02:00Z')).toBe('2025-07-01T02:00:00.000Z');
  expect(await asOf('release-holds', '2025-07-01')).toBe('2025-07-01T00:00:00.000Z');
});

test('a time that is none is refused with an example', async () => {
  const run = await payrun(['release', '--as-of', 'yesterday'], shop);
  expect(run).toMatchObject({ code: 2, stdout: '' });
  expect(run.stderr).toContain('found: yesterday');
  expect(run.stderr).toContain('2026-03-01T02:00');
});

test('an unknown job is answered with those that there are, one of the workspace among them', async () => {
  const run = await payrun(['run', 'nightly2'], shop);
  expect(run.code).toBe(2);
  expect(run.stderr).toMatch(/audit,.* greet,.* nightly,/);
});

test("a job takes its parameters in its schema's kinds", async () => {
  const run = ['run', 'greet', '--param', 'name=42', '--param', 'times=3', '--param', 'note=a=b'];
  expect(await payrunJson(run, shop)).toMatchObject({
    counts: { greetings: 3 },
    report: { name: '42', note: 'a=b' },
  });
});

test('a parameter called like something that every object has is one that the job does not take', async () => {
  for (const name of ['constructor', '__proto__', 'toString']) {
    const { code, stderr } = await payrun(
      ['run', 'greet', '--param', 'name=Ada', '--param', `${name}=1`],
      shop,
    );
    expect([code, stderr]).toEqual([2, expect.stringContaining(`Unrecognized key: "${name}"`)]);
  }
});

test('parameters that a job does not take are refused', async () => {
  for (const [text, said] of [
    ['nobody', 'name=value'],
    ['naem=x', 'name'],
    ['times=many', 'times'],
  ]) {
    const run = await payrun(['run', 'greet', '--param', text!], shop);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain(said);
  }
});

test('work done that leaves something for a person ends with code 3', async () => {
  expect((await payrun(['run', 'greet', '--param', 'name=nobody'], shop)).code).toBe(3);
});

test('the whole night runs, is kept with its steps, and can be looked at', async () => {
  const ran = (await payrunJson(['run', 'nightly', '--as-of', '2026-03-02T02:00'], shop)) as Ran;
  expect(ran).toMatchObject({ status: 'done', counts: { failed: 0 } });
  const list = (await payrunJson(['runs', 'list', '--job', 'nightly'], shop)) as Ran[];
  expect(list).toMatchObject([{ run: ran.run, status: 'done', as_of: '2026-03-02T01:00:00.000Z' }]);
  const shown = (await payrunJson(['runs', 'show', ran.run!], shop)) as { steps: Ran[] };
  expect(shown.steps.map(({ job }) => job)).toContain('release-holds');
  expect(shown.steps.find(({ job }) => job === 'release-holds')).toMatchObject({
    counts: { released: 3 },
    totals: { USD: { released: '570.00' } },
  });
  const text = await payrun(['runs', 'show', ran.run!], shop);
  expect(text.stdout).toMatch(/as of +2026-03-02 02:00 Europe\/Berlin/);
  expect(text.stdout).toMatch(/release-holds +done/);
});

test('the night ends with what is held and why, and with what a person has to do, each with its command', async () => {
  const ran = (await payrunJson(['run', 'nightly', '--as-of', '2026-03-02T02:00'], shop)) as Ran & {
    report: unknown;
  };
  expect(ran.report).toMatchObject({
    for_a_person: [
      { what: 'batches_to_approve', count: 1, amounts: { USD: '300.00' }, since: expect.any(String) },
      { what: 'rejected_rows', count: 1, command: expect.stringMatching(/^payrun imports show imp_/) },
    ],
  });
  const stored = (await payrunJson(['runs', 'show', ran.run!], shop)) as { report: unknown };
  expect(stored.report).toEqual(ran.report);
  const { stdout } = await payrun(['run', 'nightly', '--as-of', '2026-03-02T02:00'], shop);
  const end =
    /\n\nFor a person to do\n {2}1 payout batch to approve, since [-\d]+, 300\.00 USD\n {6}payrun payouts approve pob_\w+\n {2}1 rejected row to correct, since [-\d]+\n {6}payrun imports show imp_\w+\n$/;
  expect(stdout).toMatch(end);
  expect(stdout).toMatch(/^import-sales {2}done {2}nothing to do$/m);
  expect((await payrun(['runs', 'show', ran.run!], shop)).stdout).toMatch(end);
  const checked = await payrun(['check'], shop);
  expect(checked.stdout).toMatch(
    /^note +night +the last night left 2 things for a person to do: payrun runs show run_\w+$/m,
  );
});

test('the night tells of each file of the inbox in one short line, and keeps its whole report for programs', async () => {
  const inbox = path.join(shop.cwd, 'inbox', 'offline');
  await mkdir(inbox, { recursive: true });
  const sale = (id: string, affiliate: string) => `${id},${affiliate},1000.00,USD,2026-02-27T12:00:00Z`;
  const head = 'external_id,affiliate,amount,currency,occurred_at';
  const rows = [sale('N-1', 'ada'), sale('N-2', 'nobody'), sale('N-3', 'bob')];
  await writeFile(path.join(inbox, 'february-of-the-shop.csv'), `${[head, ...rows].join('\n')}\n`);
  await writeFile(path.join(inbox, 'torn.csv'), `${head}\nN-9,ada,"1.00,USD,2026-01-10\n`);
  const { code, stdout } = await payrun(['run', 'nightly', '--as-of', '2026-03-02T02:00'], shop);
  expect(code).toBe(3);
  expect(stdout).toMatch(
    /^ +file +outcome +rows +recorded +rejected +rejects\n +offline\/february-of-the-shop\.csv +imported +3 +2 +1 +rejects\/imp_\w+\.csv\n +offline\/torn\.csv +refused +rejects\/offline\/torn\.csv\n +all files +3 +2 +1$/m,
  );
  expect(stdout).toContain(
    'offline/torn.csv was refused: A quote that opens in this record is never closed.',
  );
  expect(stdout).not.toMatch(/sha256|preview|layout|rejected groups/);
  expect(stdout.split('\n').filter((line) => line.length > 125)).toEqual([]);
  const [run] = (await payrunJson(['runs', 'list', '--job', 'import-sales'], shop)) as Ran[];
  const shown = await payrunJson(['runs', 'show', run!.run!], shop);
  expect(shown).toMatchObject({ report: { files: [{ report: { rejected_groups: [{ rows: 1 }] } }, {}] } });
  const text = await payrun(['runs', 'show', run!.run!], shop);
  expect(text.stdout).toMatch(/offline\/february-of-the-shop\.csv +imported +3 +2 +1 /);
  expect(text.stdout).not.toContain('rejected groups');
});

test('a run that failed is in the history with its reason', async () => {
  await writeFile(
    path.join(shop.cwd, 'jobs', 'fail.ts'),
    `import { defineJob, PayrunError } from 'payrun';
export default defineJob({
  name: 'fail',
  summary: 'Fail.',
  run: async () => { throw new PayrunError('state', 'The moon is in the wrong place.'); },
});
`,
  );
  const failed = await payrun(['run', 'fail'], shop);
  expect(failed).toMatchObject({ code: 1, stdout: '' });
  expect(failed.stderr).toContain('error: The moon is in the wrong place. [state]');
  const [run] = (await payrunJson(['runs', 'list', '--job', 'fail'], shop)) as Ran[];
  expect(run).toMatchObject({ status: 'failed', error: { message: 'The moon is in the wrong place.' } });
});

test('an error in a job of one’s own is told as that job’s, with its file and its words, and with its trace on request', async () => {
  const file = path.join(shop.cwd, 'jobs', 'break.ts');
  const broken = (body: string) =>
    writeFile(
      file,
      `import { defineJob } from 'payrun';
export default defineJob({ name: 'break', summary: 'Break.', run: async (work) => { ${body} } });
`,
    );
  await broken("throw new TypeError('the moon is\\n no cheese')");
  const said = 'The job "break" raised an error: TypeError: the moon is no cheese';
  const plain = await payrun(['run', 'break'], shop);
  expect(plain).toMatchObject({ code: 1, stdout: '' });
  expect(plain.stderr).toContain(`error: ${said} [job-failed]\n  where: ${file}\n`);
  expect(plain.stderr).not.toMatch(/defect|^ +at /m);
  const [run] = (await payrunJson(['runs', 'list', '--job', 'break'], shop)) as Ran[];
  expect(run).toMatchObject({ status: 'failed', error: { code: 'job-failed', message: said } });
  const traced = await payrun(['run', 'break'], { ...shop, env: { PAYRUN_DEBUG: '1' } });
  expect(traced.stderr).toMatch(/^ +at .*break\.ts/m);

  await broken("await work.context.db.session(({ client }) => client.query(`select 'secret row'::int`));");
  const refused = await payrun(['run', 'break'], shop);
  expect(refused.stderr).toContain('The job "break" raised an error: the database says 22P02 [job-failed]');
  expect(refused.stderr).not.toContain('secret row');
  await broken('await work.context.db.session(({ client }) => client.query(`select * from nowhere`));');
  expect((await payrun(['run', 'break'], shop)).stderr).toContain('relation "nowhere" does not exist');
  await broken('return work.asOf;');
  expect((await payrun(['run', 'break'], shop)).stderr).toMatch(
    /The job "break" returned no outcome: .*\[job-failed\]/,
  );
});

test('a table that somebody has renamed is told as such, with a trace only on request', async () => {
  const rename = (from: string, to: string) =>
    database.db.session(({ client }) => client.query(`alter table ${from} rename to ${to}`));
  await rename('adjustment', 'gone');
  try {
    const plain = await payrun(['run', 'audit'], shop);
    expect(plain.code).toBe(2);
    expect(plain.stderr).toContain('relation "adjustment" does not exist');
    expect(plain.stderr).toContain('[database-schema]');
    expect(plain.stderr).not.toMatch(/^ +at /m);
    const traced = await payrun(['run', 'audit'], { ...shop, env: { PAYRUN_DEBUG: '1' } });
    expect(traced.stderr).toMatch(/^ +at /m);
  } finally {
    await rename('gone', 'adjustment');
  }
});
