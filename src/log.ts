import pino from 'pino';
import { showDuration } from './time.ts';
import { visibleInLine, visibleJson } from './visible.ts';

/**
 * Every sentence that Payrun logs, one function per event; all go to stderr. Names, counts and ids only: no
 * e-mail address, bank detail or raw row may be passed in here.
 */
export interface Log {
  runStarted(run: { job: string; account: string; run: string; attempt: number }): void;
  runFinished(run: { job: string; account: string; run: string; status: string; milliseconds: number }): void;
  runFailed(run: { job: string; account: string; run: string; code: string; message: string }): void;
  runRetried(run: {
    job: string;
    account: string;
    attempt: number;
    waitMilliseconds: number;
    message: string;
  }): void;
  runSkipped(run: { job: string; account: string; reason: string }): void;
  schedule(job: { job: string; cron: string; timezone: string; next: string }): void;
  draining(work: { running: number }): void;
  fileRefused(file: { file: string; code: string; message: string }): void;
  request(request: {
    request: string;
    key: string;
    route: string;
    status: number;
    milliseconds: number;
  }): void;
  requestFailed(request: { request: string; message: string }): void;
  progress(work: { what: string; done: number; rate: number; left: string }): void;
  warning(warning: { message: string }): void;
}

/** A log that writes plain lines, or JSON lines (`format: 'json'`), to `write`; by default to stderr. */
export function createLog(
  options: {
    format?: 'text' | 'json';
    write?: (line: string) => void;
    level?: 'info' | 'warn' | 'silent';
  } = {},
): Log {
  const write = options.write ?? ((line: string) => void process.stderr.write(line));
  const text = (line: string) => write(plainLine(JSON.parse(line) as Record<string, unknown>));
  const base = pino(
    { base: null, level: options.level ?? 'info', timestamp: pino.stdTimeFunctions.isoTime },
    { write: options.format === 'json' ? (line) => write(visibleJson(line)) : text },
  );
  return {
    runStarted: (run) => base.info(run, 'run started'),
    runFinished: ({ milliseconds, ...run }) =>
      base.info({ ...run, took: showDuration(milliseconds) }, 'run finished'),
    runFailed: (run) => base.error(run, 'run failed'),
    runRetried: ({ waitMilliseconds, ...run }) =>
      base.warn(
        { ...run, wait: showDuration(waitMilliseconds) },
        'run failed by a fault that may pass; trying again',
      ),
    runSkipped: (run) => base.info(run, 'run skipped'),
    schedule: (job) => base.info(job, 'job scheduled'),
    draining: (work) => base.info(work, 'stopping: no new runs, waiting for those under way'),
    fileRefused: (file) => base.error(file, 'file refused'),
    request: (request) => base.info(request, 'request'),
    requestFailed: (request) => base.error(request, 'request failed by a defect'),
    progress: (work) => base.info(work, 'progress'),
    warning: ({ message }) => base.warn(message),
  };
}

function plainLine(entry: Record<string, unknown>): string {
  const { time, level, msg, ...fields } = entry;
  const name = (level as number) >= 50 ? 'error' : (level as number) >= 40 ? 'warn ' : 'info ';
  const pairs = Object.entries(fields).map(([key, value]) => `${key}=${quoted(String(value))}`);
  return `${visibleInLine([time, name, msg, ...pairs].join(' '))}\n`;
}

function quoted(value: string): string {
  return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}
