import { expect, test } from 'vitest';
import { payrun, payrunJson } from './payrun.ts';
import { configOf, workspace } from './workspace.ts';

test('the embedded server is started, found by other commands, and stopped', async () => {
  const place = { cwd: await workspace(configOf('embedded')) };
  const first = await payrunJson(['db', 'start'], place);
  expect(first).toMatchObject({ running: true, already_running: false });
  try {
    const again = await payrunJson(['db', 'start'], place);
    expect(again).toEqual({ ...(first as object), already_running: true });
    expect((await payrun(['apply'], place)).code).toBe(0);
  } finally {
    expect(await payrunJson(['db', 'stop'], place)).toEqual({ running: false, stopped: true });
  }
  expect(await payrunJson(['db', 'stop'], place)).toEqual({ running: false, stopped: false });
  expect((await payrun(['apply'], place)).stdout).toContain('There is nothing to change');
});

test('a server of one’s own is neither started nor stopped', async () => {
  const place = { cwd: await workspace(configOf('own')), url: 'postgres://nobody@127.0.0.1:1/x' };
  for (const command of ['start', 'stop']) {
    const run = await payrun(['db', command], place);
    expect(run).toMatchObject({ code: 2, stdout: '' });
    expect(run.stderr).toContain('DATABASE_URL');
  }
});

test('without psql on the machine it says how else to get in, and shows no password', async () => {
  const url = 'postgres://ada:geheim@127.0.0.1:1/x';
  const place = { cwd: await workspace(configOf('own')), url, env: { PATH: '/nowhere' } };
  const run = await payrun(['db', 'psql'], place);
  expect(run).toMatchObject({ code: 2, stdout: '' });
  expect(run.stderr).toContain('This machine has no psql.');
  expect(run.stderr).not.toContain('geheim');
});
