import { z } from 'zod';
import { listed, PayrunError } from '../errors.ts';
import type { Outcome, Work } from './work.ts';

/** A piece of work that has a name, parameters and a history of runs. Made by `defineJob` only. */
export interface Job {
  /** Lower-case words joined by hyphens: what stands behind `payrun run`, and the name of the job's file. */
  readonly name: string;
  /** One line for people. */
  readonly summary: string;
  /** What the parameters must look like; unknown ones are refused. */
  readonly parameters: z.ZodObject;
  /** `parameters` as `checkParameters` returned them. */
  run(work: Work, parameters: Record<string, unknown>): Promise<Outcome>;
}

interface JobDefinition<Shape extends z.ZodRawShape> {
  name: string;
  summary: string;
  /** A zod object, or the shape of one; without it the job takes no parameters. */
  parameters?: Shape | z.ZodObject<Shape>;
  run(work: Work, parameters: z.output<z.ZodObject<Shape>>): Promise<Outcome>;
}

const kebabCase = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/**
 * Makes a job out of its definition; a file in `jobs/` exports it as its default and carries its name.
 * Raises `job-invalid` when the name is not in kebab-case.
 */
export function defineJob<Shape extends z.ZodRawShape = Record<never, never>>(
  definition: JobDefinition<Shape>,
): Job {
  if (!kebabCase.test(definition.name)) {
    throw new PayrunError('job-invalid', 'The name of a job is lower-case words joined by hyphens.', {
      found: definition.name,
      todo: 'Give the job a name such as "send-report".',
    });
  }
  const parameters =
    definition.parameters instanceof z.ZodObject
      ? definition.parameters.strict()
      : z.strictObject(definition.parameters ?? {});
  return Object.freeze({
    name: definition.name,
    summary: definition.summary,
    parameters: parameters as unknown as z.ZodObject,
    run: definition.run as unknown as Job['run'],
  });
}

/** The parameters that `job` will be given for `raw`. Raises `usage`, naming every parameter that is wrong. */
export function checkParameters(job: Job, raw: Record<string, unknown>): Record<string, unknown> {
  const read = job.parameters.safeParse(raw);
  if (read.success) return read.data;
  const faults = read.error.issues.map(
    (issue) => `${issue.path.join('.') || 'parameters'}: ${issue.message}`,
  );
  throw new PayrunError('usage', `The job ${job.name} cannot run with these parameters.`, {
    found: listed(faults, '; '),
    todo: `The job takes: ${listed(Object.keys(job.parameters.shape)) || 'no parameters'}.`,
  });
}
