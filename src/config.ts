import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { findNodeAtLocation, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import leven from 'leven';
import type { z } from 'zod';
import { tooDeepAt } from './config-depth.ts';
import { doubledKeys } from './config-doubles.ts';
import { fileSchema } from './config-schema.ts';
import { listed, PayrunError } from './errors.ts';
import { findWorkspace } from './find-workspace.ts';

export type AccountConfig = FileConfig['accounts'][number];
export type ProgramConfig = AccountConfig['programs'][number];
export type IncentiveConfig = ProgramConfig['incentives'][number];
export type SourceConfig = AccountConfig['sources'][number];
export type JobConfig = FileConfig['jobs'][string];
type FileConfig = z.output<typeof fileSchema>;

/** The whole configuration of one workspace, checked and frozen. */
export interface Config {
  /** The absolute folder that holds payrun.json, inbox/, outbox/, archive/ and rejects/. */
  workspace: string;
  accounts: AccountConfig[];
  jobs: Record<string, JobConfig>;
  /** The permission bits of files that Payrun writes: 0o600, or with a group's among them. */
  file_mode: number;
  /** A server of the user's own; without one, the embedded server keeps its data in the workspace. */
  databaseUrl: string | undefined;
  logFormat: 'text' | 'json';
}

/** One thing wrong with payrun.json, with the path and the line of the value. */
export interface ConfigFault {
  path: string;
  line: number;
  message: string;
}

/**
 * Reads `payrun.json` of the workspace: of `folder` when given, else of the nearest folder upwards from `from`, which
 * must be this user's or root's. Raises `config-not-found`, `workspace-untrusted`, or `config-invalid` with every fault of
 * the file in its message, or what the system says.
 */
export function loadConfig(options: {
  folder?: string | undefined;
  from: string;
  env: NodeJS.ProcessEnv;
  /** Who asks; the user of this process unless given. */
  user?: number;
}): Config {
  const workspace =
    options.folder === undefined ? findWorkspace(options) : path.resolve(options.from, options.folder);
  const file = path.join(workspace, 'payrun.json');
  const text = readText(file);
  const read = checkConfig(text);
  if ('faults' in read) {
    const list = read.faults
      .map((fault) => `\n  payrun.json:${fault.line} ${fault.path}: ${fault.message}`)
      .join('');
    const count = read.faults.length === 1 ? 'a fault' : `${read.faults.length} faults`;
    throw new PayrunError('config-invalid', `The configuration has ${count}.${list}`, { place: { file } });
  }
  const logFormat = options.env.PAYRUN_LOG === 'json' ? 'json' : 'text';
  const databaseUrl = options.env.DATABASE_URL || undefined;
  return deepFreeze({ workspace, ...read.config, databaseUrl, logFormat });
}

/** Checks the text of a payrun.json (comments and trailing commas are welcome) and returns it typed, or all its faults. */
export function checkConfig(text: string): { config: FileConfig } | { faults: ConfigFault[] } {
  if (text.trim() === '') return { faults: [{ path: '(file)', line: 1, message: 'is empty' }] };
  const tooDeep = tooDeepAt(text);
  if (tooDeep !== undefined)
    return {
      faults: [{ path: '(file)', line: lineOf(text, tooDeep), message: 'is nested too deeply here' }],
    };
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { allowTrailingComma: true });
  if (errors.length > 0 || !tree) {
    const faults = errors.map((error) => ({
      path: '(file)',
      line: lineOf(text, error.offset),
      message: `is no JSON here: ${words(printParseErrorCode(error.error))}`,
    }));
    return { faults };
  }
  const doubled = doubledKeys(tree).map(({ at, offset, firstOffset }) => ({
    path: showPath(at),
    line: lineOf(text, offset),
    message: `stands here once more, after line ${lineOf(text, firstOffset)}; only one of them can count`,
  }));
  const result = fileSchema.safeParse(toValue(tree), { error: plainWords });
  if (result.success && doubled.length === 0) return { config: result.data };
  const wrong = (result.error?.issues ?? []).flatMap((issue) => faultsOf(issue, tree, text));
  return { faults: [...doubled, ...wrong].sort((a, b) => a.line - b.line) };
}

/** What is wrong with a value where the schema has no sentence of its own. */
function plainWords(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_type' && issue.input === undefined) return 'is missing';
  if (issue.code === 'invalid_type') return `must be ${wanted[issue.expected] ?? issue.expected}`;
  if (issue.code === 'invalid_value') return `must be one of ${listed(issue.values.map(String))}`;
  if (issue.code === 'too_small' && issue.origin !== 'string') return `must be at least ${issue.minimum}`;
  if (issue.code === 'too_big' && issue.origin !== 'string') return `must be at most ${issue.maximum}`;
  return undefined;
}

const wanted: Record<string, string> = {
  string: 'text in quotes',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list in [ ]',
  object: 'an object in { }',
  record: 'an object in { }',
};

function faultsOf(issue: z.core.$ZodIssue, tree: Node, text: string): ConfigFault[] {
  if (issue.code !== 'unrecognized_keys') return [faultAt(issue.path, tree, text, issue.message)];
  const known = knownKeys(issue.path);
  return issue.keys.map((key) => {
    const near = known.filter(
      (candidate) => leven(candidate, key) <= Math.max(1, Math.floor(key.length / 3)),
    );
    const hint = near[0]
      ? `did you mean "${near[0]}"?`
      : known.length > 0
        ? `known here: ${listed(known)}`
        : '';
    return faultAt([...issue.path, key], tree, text, `is not known${hint ? `; ${hint}` : ''}`);
  });
}

function faultAt(at: PropertyKey[], tree: Node, text: string, message: string): ConfigFault {
  const steps = at as (string | number)[];
  let node: Node | undefined;
  for (let length = steps.length; node === undefined && length >= 0; length -= 1) {
    node = findNodeAtLocation(tree, steps.slice(0, length));
  }
  return { path: showPath(steps), line: lineOf(text, node?.offset ?? 0), message };
}

function showPath(steps: (string | number)[]): string {
  const shown = steps.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
  return shown.replace(/^\./, '') || '(file)';
}

/** The keys that the schema has at `at`, found by walking it. */
function knownKeys(at: PropertyKey[]): string[] {
  let schema: unknown = fileSchema;
  for (const step of at) schema = stepInto(unwrap(schema), step);
  const { shape, keyType } = unwrap(schema) as { shape?: object; keyType?: { options?: string[] } };
  return shape ? Object.keys(shape) : (keyType?.options ?? []);
}

function stepInto(schema: unknown, step: PropertyKey): unknown {
  const { shape, element, valueType } = schema as {
    shape?: Record<PropertyKey, unknown>;
    element?: unknown;
    valueType?: unknown;
  };
  return shape?.[step] ?? element ?? valueType;
}

function unwrap(schema: unknown): unknown {
  const { in: inner, _zod } = (schema ?? {}) as { in?: unknown; _zod?: { def: { innerType?: unknown } } };
  if (_zod?.def.innerType) return unwrap(_zod.def.innerType);
  return inner === undefined ? (schema ?? {}) : unwrap(inner);
}

function toValue(node: Node): unknown {
  if (node.type === 'array') return (node.children ?? []).map(toValue);
  if (node.type !== 'object') return node.value;
  const pairs = (node.children ?? []).map((property) => property.children ?? []);
  return Object.fromEntries(pairs.map(([key, value]) => [key?.value, value ? toValue(value) : undefined]));
}

function readText(file: string): string {
  try {
    // A pipe would keep everyone waiting for who writes to it.
    if (!statSync(file).isFile())
      throw new PayrunError('wrong-path', 'payrun.json is no file.', { place: { file } });
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw new PayrunError('config-not-found', 'There is no payrun.json in this workspace.', {
      place: { file },
      cause,
    });
  }
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

function words(code: string): string {
  return code.replace(/(?!^)([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`).toLowerCase();
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) deepFreeze(inner);
    Object.freeze(value);
  }
  return value;
}
