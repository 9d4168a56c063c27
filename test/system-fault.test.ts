import { expect, test } from 'vitest';
import { folderFault, isSystemFault } from '../src/system-fault.ts';

test('what the disk answers about a folder is told by its name; what is of files elsewhere or the network is left as it is', () => {
  const about = { name: 'outbox/', folder: '/w/outbox' };
  const answered = (code: string, more = {}) =>
    folderFault(Object.assign(new Error(code), { code, path: '/w/outbox/a', ...more }), about);
  expect(answered('EACCES')).toMatchObject({
    code: 'no-permission',
    message: 'This user may not read or write "outbox/".',
  });
  // A move out of another folder, and a folder above that can't be written.
  for (const more of [{ path: '/w/inbox/a', dest: '/w/outbox/a' }, { path: '/w' }])
    expect(answered('EDQUOT', more)).toMatchObject({
      code: 'disk-full',
      message: `This user's share of the disk is full: "outbox/" can't be written.`,
    });
  expect(isSystemFault(answered('EIO'))).toBe(true);
  const others = [
    answered('EACCES', { path: '/elsewhere' }),
    answered('EACCES', { path: undefined, syscall: 'connect' }),
    answered('ECONNRESET', { path: undefined }),
  ];
  expect(others.filter(isSystemFault)).toEqual([]);
});
