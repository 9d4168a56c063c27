import { readdir } from 'node:fs/promises';
import module from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { inOneLine, listed, PayrunError } from '../errors.ts';
import type { Log } from '../log.ts';
import { isBuilt, packageRoot } from '../package-root.ts';
import { folderFault } from '../system-fault.ts';
import type { Job } from './define-job.ts';
import { ownJob } from './own-job.ts';

/** Every job by its name; where its file is bad, what is wrong with it. */
export type Jobs = ReadonlyMap<string, Job | PayrunError>;

const builtIn = fileURLToPath(new URL(isBuilt ? 'dist/jobs/' : 'jobs/', packageRoot));

/**
 * The jobs that come with Payrun and those in the workspace's own `jobs/` folder, where a file with the name of
 * a built-in one replaces it, said in a warning. A bad file costs its own job alone, also where it would have replaced
 * another, which must not run in its stead; each is told to `onFault`, which warns unless given. Raises `no-permission` and
 * the like for a folder that can't be read.
 */
export async function loadJobs(
  workspace: string,
  log: Log,
  onFault = (fault: PayrunError) => log.warning({ message: `a job is left out: ${inOneLine(fault)}` }),
): Promise<Jobs> {
  letPayrunBeImported();
  const own = path.join(workspace, 'jobs');
  const jobs = new Map<string, Job | PayrunError>();
  for (const file of await jobFiles(builtIn)) jobs.set(nameOf(file), await loadJob(file));
  if (path.relative(own, builtIn) === '') return jobs;
  for (const file of await jobFiles(own)) {
    const name = nameOf(file);
    const job = await tryJob(file);
    if (job instanceof PayrunError) onFault(job);
    else if (jobs.has(name))
      log.warning({ message: `jobs/${path.basename(file)} of the workspace replaces the job "${name}"` });
    jobs.set(name, job instanceof PayrunError ? job : ownJob(job, file));
  }
  return jobs;
}

/** The job of that name. Raises what is wrong with its file, or `not-found`, listing what there is. */
export function findJob(jobs: Jobs, name: string): Job {
  const job = jobs.get(name);
  if (job instanceof PayrunError) throw job;
  if (job) return job;
  throw new PayrunError('not-found', 'There is no job of this name.', {
    found: name,
    todo: `The jobs are ${listed(usableNames(jobs))}; one of your own goes into the workspace's jobs/ folder.`,
  });
}

/** The names of the jobs that can run, in order. */
export function usableNames(jobs: Jobs): string[] {
  const usable = [...jobs].filter(([, job]) => !(job instanceof PayrunError));
  return usable.map(([name]) => name).sort();
}

/** The name that the job in `file` must have. */
function nameOf(file: string): string {
  return path.basename(file).replace(/\.\w+$/, '');
}

async function tryJob(file: string): Promise<Job | PayrunError> {
  return loadJob(file).catch((cause: unknown) => {
    if (cause instanceof PayrunError) return cause;
    throw cause;
  });
}

async function jobFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return [];
    // Which built-in jobs it replaces nobody knows then, and none may run in the place of another.
    throw folderFault(cause, { name: 'jobs/', folder });
  });
  return names
    .filter((name) => /\.(ts|mts|js|mjs)$/.test(name) && !/\.d\.m?ts$/.test(name))
    .sort()
    .map((name) => path.join(folder, name));
}

async function loadJob(file: string): Promise<Job> {
  const refuse = (what: string, detail: { found?: string; todo?: string; cause?: unknown } = {}) =>
    new PayrunError('job-invalid', what, { place: { file }, ...detail });
  let exported: { default?: unknown };
  try {
    exported = await import(pathToFileURL(file).href);
  } catch (cause) {
    if ((cause as { code?: unknown }).code === 'ERR_UNKNOWN_FILE_EXTENSION') {
      const todo = 'Use Node 22.18 or newer for jobs in TypeScript, or write the job as .mjs.';
      throw refuse('This Node cannot run a job that is written in TypeScript.', { todo, cause });
    }
    const found = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    // Node takes the file for an old kind of module where the nearest package.json does not say otherwise.
    const todo = found.includes('outside a module')
      ? `Name the file ${path.basename(file).replace(/\.(ts|js)$/, '.m$1')}, or put "type": "module" into the nearest package.json.`
      : undefined;
    throw refuse('This job file cannot be loaded.', { found, cause, ...(todo ? { todo } : {}) });
  }
  const job = exported.default;
  if (!isJob(job)) throw refuse('This file exports no job.');
  const expected = nameOf(file);
  if (job.name !== expected) {
    throw refuse(`The job in this file must have the file's name, "${expected}".`, { found: job.name });
  }
  return job;
}

/** By shape and not by origin: a job may have been defined by another copy of this module. */
function isJob(value: unknown): value is Job {
  const job = value as Partial<Job> | null | undefined;
  return (
    typeof job === 'object' &&
    job !== null &&
    typeof job.name === 'string' &&
    typeof job.run === 'function' &&
    typeof job.parameters?.safeParse === 'function'
  );
}

let resolvable = false;

/**
 * Makes `import … from 'payrun'` in a job file mean this very Payrun, though the workspace has no package of
 * that name. Node 20 has no such hook; there the package must be installed.
 */
function letPayrunBeImported(): void {
  if (resolvable || typeof module.registerHooks !== 'function') return;
  resolvable = true;
  const index = new URL(isBuilt ? 'dist/index.js' : 'src/index.ts', packageRoot).href;
  module.registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'payrun' ? { url: index, shortCircuit: true } : next(specifier, context),
  });
}
