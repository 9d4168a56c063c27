import v8 from 'node:v8'; v8.setFlagsFromString('--semi-space-growth-factor=1');
import { connect } from './src/db/connect.ts';
import { readFileSync, rmSync } from 'node:fs';
import { exportBatch } from './src/payouts/export.ts';
const u = new URL(readFileSync('/tmp/payouts/url','utf8').trim()); u.pathname = '/' + process.argv[2];
const db = await connect(u.href);
const batch = await db.sql.selectFrom('payout_batch').selectAll().executeTakeFirstOrThrow();
const run = await db.sql.selectFrom('run').select('id').executeTakeFirstOrThrow();
const what = process.argv[3];
rmSync('/tmp/payouts/outbox', {recursive: true, force: true});
const t = performance.now();
await db.transaction(async (s) => {
  const r = await exportBatch(s, {accountId: 1, runId: run.id, now: new Date()}, {batchId: batch.id, folder: '/tmp/payouts/outbox', dryRun: false, signal: new AbortController().signal, ...(what === 'paypal' ? {} : {format: 'report', detail: what === 'detail'})});
  const pid = (await s.client.query('select pg_backend_pid() as p')).rows[0].p; const st = readFileSync('/proc/'+pid+'/stat','utf8').split(') ')[1]!.split(' '); console.log('backend cpu', (Number(st[11])+Number(st[12]))/100);
  console.log(what, ((performance.now()-t)/1000).toFixed(2), 'rss', process.resourceUsage().maxRSS/1024|0, r.rows, r.files.length, r.done);
}, {rollback: true});
console.log('with update', ((performance.now()-t)/1000).toFixed(2));
const c = process.cpuUsage(); console.log('node cpu', ((c.user+c.system)/1e6).toFixed(2)); await db.close();
