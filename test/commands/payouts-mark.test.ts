import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { testDatabase } from '../support/database.ts';
import { payrun, payrunJson } from './payrun.ts';
import { openShop, type Shop } from './shop.ts';

let url: string;

beforeAll(async () => {
  url = (await testDatabase()).url;
});

/** A batch with the payout of Ada's 300.00, exported. */
async function exported(): Promise<{ shop: Shop; batch: string; reference: string }> {
  const shop = await openShop(url);
  await payrunJson(['release', '--as-of', '2026-03-02'], shop);
  await payrunJson(['payouts', 'prepare', '--as-of', '2026-03-02', '--by', 'ada'], shop);
  const [{ batch }] = (await payrunJson(['payouts', 'list'], shop)) as [{ batch: string }];
  await payrunJson(['payouts', 'approve', '--by', 'ada', batch], shop);
  await payrunJson(['payouts', 'export'], shop);
  const { first_payouts } = (await payrunJson(['payouts', 'show', batch], shop)) as {
    first_payouts: { reference: string }[];
  };
  return { shop, batch, reference: first_payouts[0]!.reference };
}

test('a whole batch is marked as paid, what came back of it by a file, and the next run pays it', async () => {
  const { shop, batch, reference } = await exported();
  const by = ['--by', 'Grace'];
  const all = ['payouts', 'mark-paid', '--batch', batch, '--reference', 'BANK-1', ...by];
  expect(await payrunJson([...all, '--dry-run'], shop)).toMatchObject({ dry_run: true, counts: { paid: 1 } });
  expect(await payrunJson(all, shop)).toMatchObject({
    counts: { paid: 1, unchanged: 0, settled_batches: 1 },
    totals: { USD: { paid: '300.00', ready_again: '0.00' } },
  });
  expect(await payrunJson(all, shop)).toMatchObject({ counts: { paid: 0, settled_batches: 0 } });

  const failed = await payrun(['payouts', 'mark-failed', reference, '--reason', 'x', ...by], shop);
  expect(failed).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`${reference} is paid, as Grace says`),
  });

  await writeFile(
    path.join(shop.cwd, 'back.csv'),
    `reference;status;reason\n${reference};returned;account closed\n`,
  );
  const back = ['payouts', 'mark-returned', '--file', 'back.csv', ...by];
  const answer = await payrun(back, shop);
  expect(answer.stdout).toMatch(new RegExp(`${reference} +ada +returned +account closed +300\\.00 USD`));
  expect(await payrunJson(back, shop)).toMatchObject({ counts: { returned: 0, unchanged: 1 } });
  expect((await payrun(['explain', reference], shop)).stdout).toContain('returned: account closed');
  expect((await payrun(['explain', 'INV-1'], shop)).stdout).toContain('in no payout yet');
  expect(
    await payrunJson(['payouts', 'prepare', '--by', 'ada', '--as-of', '2026-04-02'], shop),
  ).toMatchObject({
    report: { batches: [{ payouts: 1, amount: '300.00' }] },
  });
  expect((await payrun(['audit'], shop)).code).toBe(0);
});

test.each([
  [['mark-paid', '--by', 'Grace'], 'in one way'],
  [['mark-paid', 'A', '--file', 'x.csv', '--by', 'Grace'], 'in one way'],
  [['mark-failed', 'A', '--by', ' PayRun', '--reason', 'x'], 'nobody'],
])('payouts %j is refused before anything is read', async (args, said) => {
  const run = await payrun(['payouts', ...args], { cwd: '.' });
  expect(run).toMatchObject({ code: 2, stderr: expect.stringContaining(said) });
});
