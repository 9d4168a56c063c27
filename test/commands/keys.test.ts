import { expect, test } from 'vitest';
import { testDatabase } from '../support/database.ts';
import { payrun, payrunJson } from './payrun.ts';
import { openShop } from './shop.ts';

test('a key is printed once, listed without its text, and revoked', async () => {
  const { db, url } = await testDatabase();
  const shop = await openShop(url);
  await payrun(['init'], shop);
  const made = (await payrunJson(['keys', 'create', 'shop', '--for', 'affonso', '--signed'], shop)) as Record<
    string,
    string
  >;
  expect(made).toMatchObject({ for: 'affonso', scopes: ['read', 'write'] });
  expect(made.key).toMatch(/^sk_live_\w{30,}$/);
  expect(made.signing_secret).toMatch(/^whsec_\w{48}$/);
  const prefixes = { affilut: 'aff_', entries: 'sk-ak-', payrun: 'pr_live_' };
  for (const [kind, prefix] of Object.entries(prefixes)) {
    const one = (await payrunJson(
      ['keys', 'create', kind, '--for', kind, '--scopes', 'read'],
      shop,
    )) as typeof made;
    expect(one.key!.startsWith(prefix)).toBe(true);
    expect(one).toMatchObject({ scopes: ['read'] });
  }
  const listed = await payrun(['keys', 'list', '--json'], shop);
  expect(JSON.parse(listed.stdout)).toHaveLength(4);
  const stored = JSON.stringify(await db.sql.selectFrom('api_key').selectAll().execute());
  for (const secret of [made.key!, made.signing_secret!]) {
    expect(listed.stdout).not.toContain(secret);
    expect(stored).not.toContain(secret);
    expect(stored).not.toContain(Buffer.from(secret).toString('base64'));
  }
  expect(await payrunJson(['keys', 'revoke', made.id!], shop)).toMatchObject({ revoked: true });
  expect((await payrunJson(['keys', 'list'], shop)) as unknown[]).toContainEqual(
    expect.objectContaining({ id: made.id, revoked_at: expect.any(String), signed: true }),
  );
  const odd = [
    ['keys', 'create', 'x'],
    ['keys', 'create', 'x', '--for', 'dub'],
    ['keys', 'create', 'x', '--for', 'affilut', '--signed'],
    ['keys', 'create', 'x', '--for', 'affilut', '--scopes', 'all'],
    ['keys', 'create', 'x', '--for', 'affilut', '--source', 'nowhere'],
    ['keys', 'revoke', 'key_none'],
  ];
  for (const args of odd) expect((await payrun(args, shop)).code).toBe(2);
});

test('a signing secret needs the key of the workspace, and another one does not open it', async () => {
  const { url } = await testDatabase();
  const shop = await openShop(url);
  const signed = ['keys', 'create', 'shop', '--for', 'affonso', '--signed'];
  const without = await payrun(signed, shop);
  expect([without.code, without.stderr]).toEqual([2, expect.stringContaining('payrun init')]);
  const wrong = await payrun(signed, { ...shop, env: { PAYRUN_KEY: 'short' } });
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('32 bytes in base64')]);
  const key = Buffer.alloc(32, 7).toString('base64');
  expect((await payrun(signed, { ...shop, env: { PAYRUN_KEY: key } })).code).toBe(0);
});
