import { expect, test } from 'vitest';
import { header } from '../imports/ann.ts';
import { audited } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import { serveDesk } from './serving.ts';

const { db } = await testDatabase();
const file = `${header}\ns-1,ann,100.00,USD,2026-01-10\ns-2,nobody,50.00,USD,2026-01-10\n`;
const csv = { 'content-type': 'text/csv' };

test('a file is uploaded as a dry run, then imported by the code of its plan, and shown like any import', async () => {
  const desk = await serveDesk(db);
  await desk.world.affiliate({ ref: 'ann' });
  const key = await desk.key('payrun');
  const upload = (more = '', body = file) =>
    desk.send('POST', `/payrun/v1/imports?kind=sales&file=march.csv${more}`, { key, body, headers: csv });
  const rehearsed = await upload();
  expect([rehearsed.status, rehearsed.body]).toMatchObject([
    200,
    { dry_run: true, import: null, recorded: 1, rejected: 1, file: 'march.csv', plan: expect.any(String) },
  ]);
  expect((await upload(`&plan=${rehearsed.body.plan}`, `${file}s-3,ann,1.00,USD,2026-01-10\n`)).status).toBe(
    409,
  );
  const done = await upload(`&plan=${rehearsed.body.plan}`);
  expect([done.status, done.body]).toMatchObject([201, { dry_run: false, recorded: 1, rejected: 1 }]);
  expect(await audited(desk.world)).toEqual([]);
  const imports = await desk.send('GET', '/payrun/v1/imports', { key });
  expect(imports.body).toMatchObject({
    data: [{ import: done.body.import, file: 'march.csv', rows: 2 }],
    next: null,
  });
  const refused = await upload('', 'nothing of the kind\n');
  expect([refused.status, refused.headers.get('content-type'), refused.body]).toMatchObject([
    400,
    expect.stringContaining('application/problem+json'),
    { title: 'Bad Request', status: 400, detail: expect.any(String) },
  ]);
  expect(refused.text).not.toContain('payrun-upload');
});

test('a list is walked to its end while rows are added: none is lost or doubled', async () => {
  const desk = await serveDesk(db);
  const key = await desk.key('payrun');
  for (let n = 0; n < 12; n += 1) await desk.world.affiliate({ ref: `a-${String(n).padStart(2, '0')}` });
  const seen: string[] = [];
  for (let cursor = ''; ; ) {
    const page = await desk.send('GET', `/payrun/v1/affiliates?limit=5${cursor}`, { key });
    seen.push(...page.body.data.map((one: { ref: string }) => one.ref));
    await desk.world.affiliate({ ref: `a-0${seen.length}-late` });
    if (page.body.next === null) break;
    cursor = `&cursor=${encodeURIComponent(page.body.next)}`;
  }
  const own = seen.filter((ref) => !ref.endsWith('late'));
  expect(own).toEqual(Array.from({ length: 12 }, (_, n) => `a-${String(n).padStart(2, '0')}`));
  expect(new Set(seen).size).toBe(seen.length);
});

test.each(['affiliates', 'payouts', 'batches', 'runs', 'imports', 'conflicts'])(
  'the list of %s needs a key of this interface, and refuses a cursor and filters that are none',
  async (noun) => {
    const desk = await serveDesk(db);
    const key = await desk.key('payrun');
    expect((await desk.send('GET', `/payrun/v1/${noun}`, { key })).status).toBe(200);
    expect((await desk.send('GET', `/payrun/v1/${noun}`)).status).toBe(401);
    expect((await desk.send('GET', `/payrun/v1/${noun}`, { key: await desk.key('affilut') })).status).toBe(
      401,
    );
    expect((await desk.send('GET', `/payrun/v1/${noun}?limit=0`, { key })).status).toBe(400);
    const isById = noun !== 'affiliates';
    const odd = await desk.send('GET', `/payrun/v1/${noun}?cursor=${encodeURIComponent("' or 1=1 --")}`, {
      key,
    });
    expect(odd.status).toBe(isById ? 400 : 200);
  },
);

test('whoever watches it is told how it is, and a reader of its interfaces what they take', async () => {
  const desk = await serveDesk(db);
  expect((await desk.send('GET', '/healthz')).body).toEqual({ status: 'ok' });
  expect((await desk.send('GET', '/readyz')).body).toEqual({ status: 'ready' });
  await desk.send('GET', '/payrun/v1/runs', { key: await desk.key('payrun') });
  const metrics = await desk.send('GET', '/metrics');
  expect(metrics.text).toMatch(
    /payrun_request_seconds_count\{method="GET",route="\/payrun\/v1\/runs",status="200"\} 1/,
  );
  expect((await desk.send('GET', '/metrics', { headers: { 'x-forwarded-for': '203.0.113.9' } })).status).toBe(
    401,
  );
  const { body } = await desk.send('GET', '/openapi.json');
  expect(body.openapi).toBe('3.1.0');
  expect(Object.keys(body.paths)).toEqual(
    expect.arrayContaining(['/payrun/v1/imports', '/payrun/v1/runs', '/api/v1/conversions']),
  );
  const docs = await desk.send('GET', '/docs');
  expect(docs.text).toContain('<code>/payrun/v1/imports</code>');
  expect(docs.text).not.toMatch(/(?:src|href)="https?:/);
  expect((await desk.send('GET', '/nowhere')).body).toMatchObject({ status: 404, title: 'Not Found' });
});
