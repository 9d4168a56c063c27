import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import type { Db } from '../../src/db/connect.ts';
import { describeError, PayrunError } from '../../src/errors.ts';
import {
  type ImportOptions,
  type ImportOutcome,
  importFile,
  type Kind,
  readExpected,
} from '../../src/imports/import.ts';
import { createLog } from '../../src/log.ts';
import { findJob, loadJobs } from '../../src/runs/jobs.ts';
import type { FixtureConfig } from '../imports/fixture-case.ts';
import { type Desk, openDesk } from '../support/desk.ts';

/** What a person is told of each input of a folder of the gallery, in the one layout, with the exit code. */
export async function told(db: Db, folder: string): Promise<string[]> {
  if (existsSync(path.join(folder, 'jobs'))) return [await raised(folder, firstJob(folder))];
  const shared = await caseDesk(db, path.join(folder, 'desk.json'));
  const texts: string[] = [];
  for (const name of inputsOf(folder)) {
    const own = path.join(folder, `${/^[^.]+/.exec(name)![0]}.desk.json`);
    texts.push(await toldOf(existsSync(own) ? await caseDesk(db, own) : shared, folder, name));
  }
  return texts;
}

async function firstJob(folder: string): Promise<unknown> {
  const jobs = await loadJobs(folder, createLog({ level: 'silent' }));
  return findJob(jobs, path.parse(readdirSync(path.join(folder, 'jobs'))[0]!).name);
}

interface CaseConfig extends FixtureConfig {
  /** Referrals that are known already, as rows of affiliate and ref. */
  referrals?: string[];
  /** Control totals, as on the command line. */
  expect?: { rows?: string; totals: string[] };
}

interface CaseDesk extends Desk {
  /** What the command line says besides the file. */
  options: Pick<ImportOptions, 'source' | 'expected'>;
}

/** A desk that knows Ann and Bob, with the settings and earlier imports of `file`, where there is such a file. */
async function caseDesk(db: Db, file: string): Promise<CaseDesk> {
  const config = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as CaseConfig) : {};
  const desk = await openDesk(db, config);
  const people = ['ann,Ann,ann@example.com,ANN10,active,', 'bob,Bob,,,active,', ...(config.affiliates ?? [])];
  await desk.land(
    'affiliates',
    ['ref,name,email,short_code,status,commission_override', ...people, ''].join('\n'),
  );
  const header = 'external_id,affiliate,amount,currency,occurred_at,customer_id,customer_email';
  if (config.before) await desk.land('sales', [header, ...config.before, ''].join('\n'));
  if (config.referrals) await desk.land('referrals', ['affiliate,ref', ...config.referrals, ''].join('\n'));
  if (config.beforeFile) await desk.land('sales', [...config.beforeFile, ''].join('\n'));
  const { source, expect } = config;
  return { ...desk, options: { source, expected: expect && readExpected(expect.rows, expect.totals) } };
}

/** The files to import, by the kind that their name begins with. */
function inputsOf(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => !/\.(json|txt)$/.test(name))
    .sort();
}

async function toldOf(desk: CaseDesk, folder: string, name: string): Promise<string> {
  const kind = /^[a-z]+/.exec(name)![0] as Kind;
  try {
    const landed = await importFile(desk.work(), { kind, file: path.join(folder, name), ...desk.options });
    const faults = rejectedRows(desk, landed).map((row) => `${rowText(name, row)}\n`);
    return `${faults.join('\n')}exit code: ${landed.exitCode}\n`;
  } catch (cause) {
    const said = await raised(folder, Promise.reject(cause));
    return said.replaceAll(`${desk.workspace}/`, '');
  }
}

async function raised(folder: string, work: Promise<unknown>): Promise<string> {
  const cause = await work.then(
    () => new Error('Nothing is wrong with it.'),
    (fault: unknown) => fault,
  );
  if (!(cause instanceof PayrunError)) throw cause;
  return `${describeError(cause).replaceAll(`${folder}/`, '')}\nexit code: ${cause.exitCode}\n`;
}

interface RejectedRow {
  line: number;
  code: string;
  field: string;
  message: string;
  suggestion: string;
  found: string | undefined;
}

function rejectedRows(desk: Desk, { report }: ImportOutcome): RejectedRow[] {
  if (report.rejects_file === null) throw new Error(`No row of ${report.file} was rejected.`);
  const text = readFileSync(path.join(desk.workspace, report.rejects_file), 'utf8');
  return report.rejects_file.endsWith('.csv') ? rowsOfTable(text) : rowsOfLog(text);
}

function rowsOfTable(text: string): RejectedRow[] {
  const [header, ...rows]: string[][] = parse(text, { bom: true, relax_column_count: true });
  return rows.map((cells) => {
    const [line, code, field, message, suggestion] = cells.slice(-5) as [
      string,
      string,
      string,
      string,
      string,
    ];
    const found = cells[header!.indexOf(field)];
    return { line: Number(line), code, field, message, suggestion, found };
  });
}

function rowsOfLog(text: string): RejectedRow[] {
  return text
    .trim()
    .split('\n')
    .map((one) => {
      const body = JSON.parse(one) as Record<string, unknown> & RejectedRow & { error: string };
      const found = body[body.field as keyof typeof body] ?? body.text;
      return {
        ...body,
        code: body.error,
        suggestion: body.suggestion ?? '',
        found: found as string | undefined,
      };
    });
}

/** A rejected row in the layout of all other errors; e-mail addresses and bank details are shown nowhere. */
function rowText(file: string, { line, code, field, message, suggestion, found }: RejectedRow): string {
  const place = field === '' ? { file, line } : { file, line, field };
  const isPrivate = field === 'email' || field === 'customer_email' || field === 'payout_destination';
  const fault = new PayrunError('row-rejected', message, {
    place,
    ...(found === undefined || found === '' || isPrivate ? {} : { found: String(found) }),
    ...(suggestion === ''
      ? {}
      : { todo: `If "${suggestion}" is meant, write that in the rejects file and import it.` }),
  });
  return describeError(fault).replace('[row-rejected]', `[${code}]`);
}
