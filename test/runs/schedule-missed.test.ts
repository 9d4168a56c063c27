import { describe, expect, test } from 'vitest';
import { chooseSlots } from '../../src/runs/due.ts';
import { testDatabase } from '../support/database.ts';
import { World } from '../support/world.ts';
import { exited } from './fixture.ts';
import { berlin, morning, ranBefore, slotsOf, startSchedule } from './scheduling.ts';

const database = await testDatabase();
const { db } = database;

describe('slots missed while nothing ran', () => {
  const after = '2020-03-31T09:00:00Z';

  test('with "all" are each run at the next start, the night without 02:30 as well', async () => {
    const world = await World.create(db);
    await ranBefore(db, world, 'my-night', '2020-03-27T01:30:00Z');
    const scheduler = startSchedule(database, world, { 'my-night': { ...berlin, missed: 'all' } }, after);
    for (let night = 0; night < 4; night += 1) await scheduler.hear('run finished');
    expect(await scheduler.drain()).toBe(0);
    expect(await slotsOf(db, world, 'my-night')).toEqual([
      '2020-03-27T01:30 1 done',
      '2020-03-28T01:30 1 done',
      '2020-03-29T01:30 1 done',
      '2020-03-30T00:30 1 done',
      '2020-03-31T00:30 1 done',
    ]);
  });

  test('with "latest" are made up for by the latest alone, and the log says how many are not', async () => {
    const world = await World.create(db);
    await ranBefore(db, world, 'my-night', '2020-03-27T01:30:00Z');
    const scheduler = startSchedule(database, world, { 'my-night': { ...berlin, missed: 'latest' } }, after);
    expect((await scheduler.hear('run skipped')).reason).toContain('3 slots were missed');
    await scheduler.hear('run finished');
    expect(await scheduler.drain()).toBe(0);
    expect(await slotsOf(db, world, 'my-night')).toEqual([
      '2020-03-27T01:30 1 done',
      '2020-03-31T00:30 1 done',
    ]);
  });

  test('with "none" are not made up for', async () => {
    const world = await World.create(db);
    await ranBefore(db, world, 'my-night', '2020-03-30T00:30:00Z');
    const scheduler = startSchedule(database, world, { 'my-night': { ...berlin, missed: 'none' } }, after);
    expect((await scheduler.hear('run skipped')).reason).toContain('a slot was missed');
    expect(await scheduler.drain()).toBe(0);
    expect(await slotsOf(db, world, 'my-night')).toEqual(['2020-03-30T00:30 1 done']);
  });

  test('are none for a job that has never run', async () => {
    const world = await World.create(db);
    const scheduler = startSchedule(database, world, { 'my-night': { ...berlin, missed: 'all' } }, after);
    expect(await scheduler.hear('job scheduled')).toMatchObject({
      job: 'my-night',
      next: '2020-04-01 02:30 Europe/Berlin',
    });
    expect(await scheduler.drain()).toBe(0);
    expect(await slotsOf(db, world, 'my-night')).toEqual([]);
  });

  test('include the slot in which the runner was killed, which is run again', async () => {
    const world = await World.create(db);
    await ranBefore(db, world, 'long-night', '2020-03-30T00:30:00Z');
    const jobs = { 'long-night': { ...berlin, missed: 'latest' } } as const;
    const killed = startSchedule(database, world, jobs, after);
    await killed.hear('run started');
    killed.child.kill('SIGKILL');
    await exited(killed.child);
    await morning(db, world);
    const next = startSchedule(database, world, jobs, after);
    await next.hear('run finished');
    expect(await next.drain()).toBe(0);
    expect((await slotsOf(db, world, 'long-night')).slice(1)).toEqual([
      '2020-03-31T00:30 1 lost',
      '2020-03-31T00:30 2 done',
    ]);
  });

  test('are chosen by the policy; a slot found within two minutes was not missed', () => {
    const due = ['2020-03-01T01:00:00Z', '2020-03-02T01:00:00Z'].map((text) => new Date(text));
    const soon = new Date('2020-03-02T01:01:00Z');
    const late = new Date('2020-03-02T01:03:00Z');
    expect(chooseSlots('all', due, late)).toEqual(due);
    expect(chooseSlots('latest', due, late)).toEqual(due.slice(1));
    expect(chooseSlots('none', due, late)).toEqual([]);
    expect(chooseSlots('none', due, soon)).toEqual(due.slice(1));
  });
});
