import { expect, test } from 'vitest';
import { showId } from '../../src/ids.ts';
import { audited } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import { serveDesk } from './serving.ts';

const { db } = await testDatabase();

test('a manual conversion is recorded once, at the commission of any other door', async () => {
  const desk = await serveDesk(db);
  const ann = await desk.world.affiliate({ ref: 'ann' });
  const key = await desk.key('affilut');
  const body = {
    affiliate_id: showId('affiliate', ann.id),
    amount_cents: 4900,
    external_id: 'inv_2026_00142',
  };
  const first = await desk.send('POST', '/api/v1/conversions', { key, body });
  expect([first.status, first.body]).toEqual([
    201,
    { id: expect.stringMatching(/^cnv_/), commissionCents: 980 },
  ]);
  expect(first.headers.get('x-ratelimit-limit')).toBe('30');
  const second = await desk.send('POST', '/api/v1/conversions', { key, body });
  expect(second.status).toBe(409);
  expect(await audited(desk.world)).toEqual([]);
});

test('fifty at once are recorded together, each with a verdict of its own', async () => {
  const desk = await serveDesk(db);
  await desk.world.affiliate({ ref: 'ann' });
  const key = await desk.key('affilut');
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, n) =>
      desk.send('POST', '/api/v1/conversions', {
        key,
        body: {
          affiliate_id: n % 3 === 0 ? 'nobody' : 'ann',
          amount_cents: 100 + n,
          external_id: `id-${n % 20}`,
        },
      }),
    ),
  );
  const of = (status: number) => answers.filter((one) => one.status === status).length;
  expect([of(201), of(404), of(409)]).toEqual([17, 10, 3]);
  expect(await audited(desk.world)).toEqual([]);
});
