import { expect, test } from 'vitest';
import { z } from 'zod';
import type { PayrunError } from '../../src/errors.ts';
import { checkParameters, defineJob } from '../../src/runs/define-job.ts';
import { nothing } from './fixture.ts';

const run = async () => nothing;

function raised(work: () => unknown): PayrunError {
  try {
    work();
  } catch (error) {
    return error as PayrunError;
  }
  throw new Error('Nothing was raised.');
}

test.each(['Nightly', 'send report', 'send_report', '-x', 'x-', ''])('the name "%s" is refused', (name) => {
  expect(raised(() => defineJob({ name, summary: '', run })).code).toBe('job-invalid');
});

test('a job cannot be changed after it was defined', () => {
  const job = defineJob({ name: 'send-report', summary: 'Send it.', run });
  expect(Object.isFrozen(job)).toBe(true);
});

test('parameters are read by the schema, with its defaults', () => {
  const job = defineJob({
    name: 'send-report',
    summary: '',
    parameters: { days: z.coerce.number().int().default(7), to: z.string() },
    run,
  });
  expect(checkParameters(job, { to: 'finance' })).toEqual({ days: 7, to: 'finance' });
  expect(checkParameters(job, { to: 'finance', days: '3' })).toEqual({ days: 3, to: 'finance' });
});

test.each([z.object({ days: z.number() }), { days: z.number() }])(
  'an unknown parameter and a wrong one are named together',
  (parameters) => {
    const job = defineJob({ name: 'send-report', summary: '', parameters, run });
    const error = raised(() => checkParameters(job, { dayz: 1, days: 'x' }));
    expect(error.code).toBe('usage');
    expect(error.found).toMatch(/dayz/);
    expect(error.found).toMatch(/days: /);
    expect(error.todo).toBe('The job takes: days.');
  },
);

test('a job without parameters refuses any', () => {
  const job = defineJob({ name: 'send-report', summary: '', run });
  expect(raised(() => checkParameters(job, { days: 1 })).todo).toBe('The job takes: no parameters.');
});
