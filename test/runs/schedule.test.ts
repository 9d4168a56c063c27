import { describe, expect, test } from 'vitest';
import { testDatabase } from '../support/database.ts';
import { World } from '../support/world.ts';
import { exited } from './fixture.ts';
import { berlin, morning, ranBefore, slotsOf, startSchedule } from './scheduling.ts';

const database = await testDatabase();
const { db } = database;

test('two schedulers on one database run a slot once between them', async () => {
  const world = await World.create(db);
  await ranBefore(db, world, 'my-night', '2020-03-01T01:30:00Z');
  const jobs = { 'my-night': { ...berlin, missed: 'all' } } as const;
  const pair = [0, 1].map(() => startSchedule(database, world, jobs, '2020-03-02T09:00:00Z'));
  await Promise.all(pair.map(({ hear }) => hear('job scheduled')));
  while (!(await slotsOf(db, world, 'my-night')).includes('2020-03-02T01:30 1 done'));
  expect(await Promise.all(pair.map(({ drain }) => drain()))).toEqual([0, 0]);
  expect(await slotsOf(db, world, 'my-night')).toEqual([
    '2020-03-01T01:30 1 done',
    '2020-03-02T01:30 1 done',
  ]);
});

test('node-cron starts a job when its slot comes, each slot once', async () => {
  const world = await World.create(db);
  const everySecond = { cron: '* * * * * *', timezone: 'Asia/Tokyo', missed: 'none' } as const;
  const scheduler = startSchedule(database, world, { 'my-night': everySecond });
  await scheduler.hear('run finished');
  await scheduler.hear('run finished');
  expect(await scheduler.drain()).toBe(0);
  const slots = await slotsOf(db, world, 'my-night');
  expect(slots.length).toBeGreaterThanOrEqual(2);
  expect(slots.every((slot) => slot.endsWith(' 1 done'))).toBe(true);
});

describe('asked to stop', () => {
  const jobs = { 'long-night': { ...berlin, missed: 'latest' } } as const;

  test('the scheduler lets the run under way finish, and starts no other', async () => {
    const world = await World.create(db);
    await ranBefore(db, world, 'long-night', '2020-03-01T01:30:00Z');
    const scheduler = startSchedule(database, world, jobs, '2020-03-02T09:00:00Z');
    await scheduler.hear('run started');
    scheduler.child.kill('SIGTERM');
    expect(await scheduler.hear('stopping')).toMatchObject({ running: 1 });
    await morning(db, world);
    await scheduler.hear('run finished');
    await exited(scheduler.child);
    expect((await slotsOf(db, world, 'long-night')).at(-1)).toBe('2020-03-02T01:30 1 done');
  });

  test('a second time, it interrupts the run, whose slot is run again at the next start', async () => {
    const world = await World.create(db);
    await ranBefore(db, world, 'long-night', '2020-03-01T01:30:00Z');
    const scheduler = startSchedule(database, world, jobs, '2020-03-02T09:00:00Z');
    await scheduler.hear('run started');
    scheduler.child.kill('SIGTERM');
    await scheduler.hear('stopping');
    scheduler.child.kill('SIGTERM');
    expect(await scheduler.hear('run failed')).toMatchObject({ code: 'interrupted' });
    await exited(scheduler.child);
    await morning(db, world);
    const next = startSchedule(database, world, jobs, '2020-03-02T09:00:00Z');
    await next.hear('run finished');
    expect((await slotsOf(db, world, 'long-night')).slice(1)).toEqual([
      '2020-03-02T01:30 1 interrupted',
      '2020-03-02T01:30 2 done',
    ]);
  });
});

describe('before it schedules anything', () => {
  test('a job that does not exist is refused, naming it', async () => {
    const world = await World.create(db);
    const scheduler = startSchedule(database, world, { nihgtly: { ...berlin, missed: 'none' } });
    expect((await scheduler.hear('[config-invalid]')).msg).toContain('found: nihgtly');
  });

  test('an account that the database does not have yet is refused, naming it', async () => {
    const world = await World.create(db);
    world.accountRef = 'not-applied';
    const scheduler = startSchedule(database, world, { nightly: { ...berlin, missed: 'none' } });
    expect((await scheduler.hear('[config-not-applied]')).msg).toContain('found: not-applied');
  });

  test('a job whose file is bad is left out, and refused where there is no other', async () => {
    const world = await World.create(db);
    const bad = { 'bad-night': { ...berlin, missed: 'none' } } as const;
    const scheduler = startSchedule(database, world, { ...bad, 'my-night': { ...berlin, missed: 'none' } });
    await scheduler.hear('a job is left out: This file exports no job.');
    await scheduler.hear('the job "bad-night" is not scheduled until its file is corrected');
    expect(await scheduler.hear('job scheduled')).toMatchObject({ job: 'my-night' });
    expect(await scheduler.drain()).toBe(0);
    const alone = startSchedule(database, world, bad);
    expect((await alone.hear('[job-invalid]')).msg).toContain('bad-night.mjs');
  });
});
