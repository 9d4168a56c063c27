import { expect, test } from 'vitest';
import { applyChanges, planChanges } from '../../src/db/apply.ts';
import { retryParked } from '../../src/imports/import.ts';
import { booked } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import { openDesk } from '../support/desk.ts';
import { today } from '../support/world.ts';
import { deskOfAnn, header, three } from './ann.ts';

const { db } = await testDatabase();

async function rehearsed() {
  const desk = await deskOfAnn(db);
  const { report } = await desk.land('sales', three, { dryRun: true });
  return { desk, plan: report.plan! };
}
const outdated = (part: string) => ({
  code: 'plan-outdated',
  message: expect.stringContaining(`the ${part} has`),
});

test('a rehearsal ends with the code of a plan, and the plan does what was shown', async () => {
  const { desk, plan } = await rehearsed();
  expect(plan).toMatch(/^\w{6}-\w{6}-\w{6}$/);
  expect((await desk.land('sales', three, { dryRun: true })).report.plan).toBe(plan);
  const { counts, report } = await desk.land('sales', three, { plan: plan.toLowerCase() });
  expect([counts.recorded, report.plan]).toEqual([2, null]);
});

test('a plan is refused once one more sale was recorded', async () => {
  const { desk, plan } = await rehearsed();
  await desk.land('sales', `${header}\ns-9,ann,1.00,USD,2026-01-10\n`);
  await expect(desk.land('sales', three, { plan })).rejects.toMatchObject(outdated('ledger'));
  expect((await booked(desk.world)).size).toBe(1);
});

test('a plan is refused for a file with one other byte, and for other options', async () => {
  const { desk, plan } = await rehearsed();
  await expect(desk.land('sales', `${three}\n`, { plan })).rejects.toMatchObject(outdated('file'));
  await expect(desk.land('sales', three, { plan, again: true })).rejects.toMatchObject(
    outdated('configuration'),
  );
});

test('a plan is refused once a rule of the programme, or a rate of exchange, is another', async () => {
  const { desk, plan } = await rehearsed();
  await desk.put('rates.csv', 'from,to,day,rate,source\nEUR,USD,2026-01-10,1.1,bank\n');
  await expect(desk.land('sales', three, { plan })).rejects.toMatchObject(outdated('configuration'));
  const other = await rehearsed();
  const account = other.desk.work().context.config.accounts[0]!;
  const changed = { ...account, programs: [{ ...account.programs[0]!, hold_days: 31 }] };
  await db.transaction(async (session) =>
    applyChanges(session, await planChanges(session, [changed], today)),
  );
  await expect(other.desk.land('sales', three, { plan: other.plan })).rejects.toMatchObject(
    outdated('configuration'),
  );
});

test('what each affiliate would earn is shown less what the file refunds', async () => {
  const desk = await deskOfAnn(db);
  await desk.world.affiliate({ ref: 'bob' });
  await desk.land('sales', `${header}\ns-0,bob,50.00,USD,2026-01-10\n`);
  const file = `${header},refund_of,refunded_total\ns-1,ann,100.00,USD,2026-01-10,,100.00\ns-2,ann,10.00,USD,2026-01-10,,\nr-0,,25.00,USD,2026-01-11,s-0,\n`;
  const { report, totals } = await desk.land('sales', file, { dryRun: true });
  expect(report.preview!.affiliates).toMatchObject([
    { affiliate: 'ann', rows: 2, sales: '10.00', commissions: '2.00' },
    { affiliate: 'bob', rows: 0, sales: '-25.00', commissions: '-5.00' },
  ]);
  expect(totals).toEqual({ USD: { sales: '-15.00', commissions: '-3.00' } });
});

test('all that has changed is named', async () => {
  const { desk, plan } = await rehearsed();
  await desk.land('sales', `${header}\ns-9,ann,1.00,USD,2026-01-10\n`);
  await expect(desk.land('sales', `${three}\n`, { plan })).rejects.toMatchObject({
    message: 'Since the plan was made, the file and the ledger have changed.',
  });
});

test('a code of which nothing fits is taken for that of another plan', async () => {
  const { desk } = await rehearsed();
  await expect(desk.land('sales', three, { plan: 'AAAAAA-BBBBBB-CCCCCC' })).rejects.toMatchObject({
    code: 'plan-outdated',
    message: expect.stringContaining('the code of another plan'),
  });
});

test('the plan of an event log does what was shown, until what another log had parked was recorded', async () => {
  const desk = await openDesk(db);
  const event = (type: string, id: string, more: Record<string, unknown> = {}) =>
    JSON.stringify({ event_name: 'x', event_type: type, customer_id: 'c-1', external_event_id: id, ...more });
  const amount = { sale_amount: 5, sale_amount_currency: 'USD' };
  await desk.land('affiliates', 'ref,name,status\ncho,Cho,paused\n');
  expect((await desk.land('events', event('conversion', 'e-1', amount))).counts).toMatchObject({ parked: 1 });
  await desk.land('referrals', 'affiliate,customer_id\ncho,c-1\n');
  const both = `${event('conversion', 'e-1', amount)}\n${event('conversion', 'e-2', amount)}\n`;
  const rehearse = async () => (await desk.land('events', both, { dryRun: true })).report.plan!;
  const plan = await rehearse();
  const retried = await retryParked(desk.work());
  expect(retried).toMatchObject({ counts: { recorded: 1 }, totals: { USD: { commissions: '0.00' } } });
  await expect(desk.land('events', both, { plan })).rejects.toMatchObject(outdated('ledger'));
  const { counts } = await desk.land('events', both, { plan: await rehearse() });
  expect(counts).toMatchObject({ recorded: 1, duplicates: 1 });
});

test('the plan of a file of people does what was shown, until somebody else was imported', async () => {
  const desk = await deskOfAnn(db);
  const people = 'ref,name\nann,Ann again\nbob,Bob\nbob,Bob\n';
  const { report, counts } = await desk.land('affiliates', people, { dryRun: true });
  expect([counts, report.changes, report.rejected_groups]).toMatchObject([
    { recorded: 1, updated: 1, rejected: 1 },
    [expect.stringContaining('Ann again')],
    [{ code: 'ref-double', rows: 1, first_line: 4 }],
  ]);
  await desk.land('affiliates', 'ref,name\ncho,Cho\n');
  await expect(desk.land('affiliates', people, { plan: report.plan! })).rejects.toMatchObject(
    outdated('ledger'),
  );
  const plan = (await desk.land('affiliates', people, { dryRun: true })).report.plan!;
  expect((await desk.land('affiliates', people, { plan })).counts).toMatchObject(counts);
});

test('what is no code of a plan is refused as such', async () => {
  const { desk } = await rehearsed();
  await expect(desk.land('sales', three, { plan: 'yes' })).rejects.toMatchObject({
    code: 'usage',
    found: 'yes',
  });
});
