import { describe, expect, test } from 'vitest';
import { showId } from '../../src/ids.ts';
import { releaseHolds } from '../../src/ledger/release.ts';
import { audited, balance } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import { waitsForLock } from '../support/locks.ts';
import { change, paidDesk, saleIs, soundDesk } from './sound.ts';

const { db } = await testDatabase();

describe('sound books', () => {
  test('have no findings, with sales, failures, conflicts, events and a payout in them', async () => {
    const { world } = await paidDesk(db);
    expect(await audited(world)).toEqual([]);
    expect(await balance(world)).toBe('balanced');
  });

  test('of one account do not answer for those of another', async () => {
    const [sound, damaged] = [await soundDesk(db), await soundDesk(db)];
    await change(damaged.world, 'update commission set amount = 1 where account_id = $1');
    expect(await audited(sound.world)).toEqual([]);
    expect(await balance(sound.world)).toBe('balanced');
    expect(await balance(damaged.world)).not.toBe('balanced');
  });
});

test('sound books are sound while others write: all sums are of one moment', async () => {
  const { world } = await soundDesk(db);
  const { proof, released } = await db.transaction(async (session) => {
    // Whoever reads the journal waits here, and finds it changed when this commits.
    await session.client.query('lock table posting in access exclusive mode');
    const proof = balance(world);
    await waitsForLock(db, proof);
    return { proof, released: await releaseHolds(session, world.mover, { asOf: new Date('2030-01-01') }) };
  });
  expect(released.counts.released).toBeGreaterThan(0);
  expect(await proof).toBe('balanced');
});

describe('one cent adrift is found, named, and keeps every run from committing', () => {
  test('in a commission', async () => {
    const { world } = await soundDesk(db);
    await change(world, `update commission set amount = amount + 1 where ${saleIs('s-1')}`);
    const findings = await audited(world);
    expect(findings).toHaveLength(2);
    expect(findings.join('\n')).toMatch(
      /aff_\w+, account pending: the journal says 40\.00 USD, the commissions say 40\.01 USD/,
    );
    expect(findings.join('\n')).toMatch(
      /account earned: the journal says -40\.00 USD, the commissions say -40\.01 USD/,
    );
    expect(await balance(world)).toMatch(/^The books would not balance; the run was undone\.\n {2}aff_/);
  });

  const columns = (id: string) =>
    `account_id, ${id}, run_id, affiliate_id, currency, movement, from_account, to_account, amount, lines, posted_at`;
  test.each([
    ['in a posting that was edited', 'update posting set amount = amount + 1 where account_id = $1'],
    ['in a posting that was deleted', 'delete from posting where account_id = $1'],
    [
      'in a posting that was written twice',
      `insert into posting (${columns('id')}) select ${columns('gen_random_uuid()')} from posting where account_id = $1`,
    ],
    ['in a posting of another currency', "update posting set currency = 'EUR' where account_id = $1"],
    ['in a commission that was deleted', `delete from commission where ${saleIs('s-4')}`],
    [
      'in a commission whose state was changed by hand',
      `update commission set status = 'paid' where ${saleIs('s-4')}`,
    ],
    ['in a commission of another currency', `update commission set currency = 'EUR' where ${saleIs('s-4')}`],
    [
      'in a commission that was given to someone else',
      `update commission set affiliate_id = (select affiliate_id from conversion where account_id = $1 and external_id = 's-1') where ${saleIs('s-4')}`,
    ],
  ])('%s', async (_, damage) => {
    const { world } = await soundDesk(db);
    await change(world, damage);
    expect((await audited(world)).length).toBeGreaterThan(0);
    expect(await balance(world)).toContain('would not balance');
  });
});

describe('payouts', () => {
  const nowhere = "'00000000-0000-7000-8000-000000000000'";
  test.each([
    [
      'whose amount is not the sum of their lines',
      'update payout set amount = 1001',
      /it says 10\.01 USD, its lines sum to 10\.00 USD/,
    ],
    [
      'that have no lines any more',
      'update commission set payout_id = null',
      /it says 10\.00 USD, its lines sum to 0\.00 USD/,
    ],
    [
      'that do not exist',
      `update commission set payout_id = ${nowhere}`,
      /commissions point at it, but it is not live/,
    ],
    ['that are dead', "update payout set status = 'canceled'", /commissions point at it, but it is not live/],
    [
      'that are paid while their lines are not',
      "update payout set status = 'paid'",
      /1 lines have another state than the payout/,
    ],
    [
      'that are of another currency',
      "update payout set currency = 'EUR'",
      /1 lines are of another affiliate or currency/,
    ],
    [
      'that are somebody else’s',
      "update payout set affiliate_id = (select id from affiliate where account_id = $1 and ref = 'bob')",
      /1 lines are of another affiliate or currency/,
    ],
  ])('%s are found, named and keep every run from committing', async (_, damage, message) => {
    const { world, payout } = await paidDesk(db);
    await change(
      world,
      `${damage} where ${damage.includes('payout set') ? 'account_id = $1' : saleIs('s-2')}`,
    );
    const findings = (await audited(world)).join('\n');
    expect(findings).toMatch(message);
    expect(findings).toContain(damage.includes(nowhere) ? 'po_' : showId('payout', payout));
    expect(await balance(world)).toMatch(message);
  });
});

describe('a reference that dangles is found', () => {
  const damages: [damage: string, sale: string | undefined, findings: string[]][] = [
    [
      'update commission set incentive_id = gen_random_uuid()',
      's-1',
      ['1 commissions without their incentive'],
    ],
    [
      'update commission set program_id = gen_random_uuid()',
      's-1',
      ['1 commissions without their programme'],
    ],
    [
      'update commission set status_run_id = gen_random_uuid()',
      's-1',
      ['1 commissions without the run that moved them'],
    ],
    [
      'update conversion set referral_id = gen_random_uuid()',
      's-1',
      ['1 conversions without their referral'],
    ],
    ['update conversion set import_id = gen_random_uuid()', 's-1', ['1 conversions without their import']],
    [
      'update conversion set program_id = gen_random_uuid()',
      's-1',
      ['1 conversions without their programme'],
    ],
    [
      'update conversion set affiliate_id = gen_random_uuid()',
      's-1',
      ['1 conversions without their affiliate'],
    ],
    [
      'update conversion set id = gen_random_uuid()',
      's-2',
      [
        '1 commissions without their conversion',
        '1 conversions without commission, and without a reason for it',
      ],
    ],
    [
      'update conversion set no_commission_reason = null',
      's-3',
      ['1 conversions without commission, and without a reason for it'],
    ],
    [
      'update conflict set conversion_id = gen_random_uuid()',
      undefined,
      ['1 conflicts without their conversion'],
    ],
    ['update event set referral_id = gen_random_uuid()', undefined, ['1 events without their referral']],
  ];
  test.each(damages.map((one) => [one[2].join(', '), ...one] as const))(
    '%s',
    async (_, damage, sale, findings) => {
      const { world } = await soundDesk(db);
      await change(world, `${damage} where ${sale ? saleIs(sale) : 'account_id = $1'}`);
      expect(await audited(world)).toEqual(findings);
    },
  );
});
