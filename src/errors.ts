import { fileFaults } from './file-faults.ts';
import { machineFaults } from './machine-faults.ts';
import { showCount } from './money.ts';

/**
 * The catalogue of everything Payrun may have to tell a person is wrong: a code to search for, a sentence,
 * what to do about it, the exit code of the command and the HTTP status of the API.
 */
const catalogue = {
  usage: { exit: 2, status: 400, todo: 'Run the command with --help to see what it takes.' },
  'config-not-found': {
    exit: 2,
    status: 500,
    todo: 'Run "payrun init" here, or name the workspace with --workspace.',
  },
  'workspace-untrusted': {
    exit: 2,
    status: 500,
    todo: 'Name the workspace with --workspace, if you trust whose it is.',
  },
  'config-invalid': {
    exit: 2,
    status: 500,
    todo: 'Correct payrun.json; "payrun check" lists every fault at once.',
  },
  'config-not-applied': {
    exit: 2,
    status: 500,
    todo: 'Run "payrun apply" so that the database agrees with payrun.json.',
  },
  'database-unreachable': {
    exit: 1,
    status: 503,
    todo: 'Start the command again; it starts the embedded server where that has died. With DATABASE_URL, check that the server there is up.',
  },
  'commit-unknown': {
    exit: 1,
    status: 503,
    todo: 'When the server is up again, see what was kept before starting the command again: payrun runs list',
  },
  'database-embedded': {
    exit: 1,
    status: 503,
    todo: 'Read the server log named above, or set DATABASE_URL to a server of your own.',
  },
  'database-schema': { exit: 2, status: 503, todo: 'Run "payrun db migrate".' },
  ...fileFaults,
  'plan-outdated': {
    exit: 1,
    status: 409,
    todo: 'Nothing was done. Start the import with --dry-run again, look at what would happen now, and give its code.',
  },
  'row-rejected': { exit: 3, status: 400, todo: 'Correct the row in the rejects file and import that file.' },
  'not-found': {
    exit: 2,
    status: 404,
    todo: 'Check the id; "payrun payouts list" and "payrun runs list" show what there is.',
  },
  state: {
    exit: 1,
    status: 409,
    todo: 'Look at the present state with "payrun payouts show" or "payrun explain".',
  },
  'job-invalid': {
    exit: 2,
    status: 500,
    todo: 'Correct the file of the job: its default export must be what defineJob returns.',
  },
  'job-failed': {
    exit: 1,
    status: 500,
    todo: 'Correct the file of the job; PAYRUN_DEBUG=1 shows where in it the error was raised.',
  },
  'already-running': {
    exit: 4,
    status: 409,
    todo: 'Wait until the other run ends; "payrun runs list" shows it.',
  },
  busy: {
    exit: 1,
    status: 503,
    todo: 'Send it again: with the same id it is recorded once.',
  },
  'lease-lost': {
    exit: 1,
    status: 409,
    todo: 'Another runner took this run over; nothing was written by this one. See "payrun runs list".',
  },
  interrupted: { exit: 1, status: 503, todo: 'Nothing half done was kept. Start the command again.' },
  defect: { exit: 1, status: 500, todo: 'Report it, with what PAYRUN_DEBUG=1 shows.' },
  'books-adrift': {
    exit: 1,
    status: 500,
    todo: 'Nothing that does not balance was kept. Run "payrun audit" and keep its output for the investigation.',
  },
  ...machineFaults,
} as const satisfies Record<string, { exit: number; status: number; todo: string }>;

export type ErrorCode = keyof typeof catalogue;

/** Every code of the catalogue. */
export const errorCodes = Object.keys(catalogue) as ErrorCode[];

/** Where a fault was found: a file with the physical line of the record, and the field in it. */
export interface Place {
  file?: string;
  line?: number;
  field?: string;
}

export interface ErrorDetail {
  place?: Place;
  /** The offending text as it was found; never a secret, bank detail or e-mail address. */
  found?: string;
  /** Lines for the person who asked, alone: they may show values of a file, so they are neither stored nor logged. */
  aside?: readonly string[];
  /** Replaces the catalogue's advice where a better one is known. */
  todo?: string;
  cause?: unknown;
}

/** A fault that a person can do something about. Anything else that is thrown is a defect of Payrun's. */
export class PayrunError extends Error {
  readonly code: ErrorCode;
  readonly exitCode: number;
  readonly httpStatus: number;
  readonly todo: string;
  readonly place: Place | undefined;
  readonly found: string | undefined;
  readonly aside: readonly string[];

  /** `code` picks exit code, HTTP status and advice from the catalogue; `what` is one sentence in plain words. */
  constructor(code: ErrorCode, what: string, detail: ErrorDetail = {}) {
    super(shortened(what), detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'PayrunError';
    this.code = code;
    this.exitCode = catalogue[code].exit;
    this.httpStatus = catalogue[code].status;
    this.todo = detail.todo ?? catalogue[code].todo;
    this.place = detail.place;
    this.found = detail.found;
    this.aside = cut(detail.aside ?? []);
  }
}

/** Names as a sentence lists them: the first dozen, each cut where it is long, then how many more there are. */
export function listed(names: Iterable<string>, between = ', '): string {
  const all = [...names];
  const shown = all.slice(0, 12).map((name) => (name.length > 80 ? `${name.slice(0, 80)}…` : name));
  const more = all.length - shown.length;
  return `${shown.join(between)}${more > 0 ? ` and ${showCount(more)} more` : ''}`;
}

/** A sentence, and of the list that may follow it in lines of its own the beginning. */
function shortened(what: string): string {
  const [sentence, ...list] = what.split('\n');
  return [sentence, ...cut(list)].join('\n');
}

/** The first fifty lines of a list, then how many more there are. */
function cut(lines: readonly string[]): readonly string[] {
  const more = lines.length - 50;
  return more > 0 ? [...lines.slice(0, 50), `  and ${showCount(more)} more`] : lines;
}

/**
 * The one layout in which errors are shown: what, where, the offending text, what to do.
 * Returns plain text of two to four lines, and those of a message that is a list or that go aside, without a final newline.
 */
export function describeError(error: PayrunError): string {
  const [what, ...list] = error.message.split('\n');
  const lines = [`error: ${what} [${error.code}]`, ...list];
  const where = placeText(error.place);
  if (where) lines.push(`  where: ${where}`);
  if (error.found !== undefined) lines.push(`  found: ${clip(error.found)}`);
  lines.push(...error.aside.map((line) => `    ${line}`));
  lines.push(`  to do: ${error.todo}`);
  return lines.join('\n');
}

/**
 * The same as data, for the JSON document of a command that fails: what, where, the offending text, what to do. `details`
 * may show values of a file to whoever asked.
 */
export function errorData({ code, message, place, found, aside, todo, exitCode }: PayrunError) {
  return {
    code,
    message,
    place: place ?? null,
    found: found === undefined ? null : clip(found),
    details: aside,
    todo,
    exit_code: exitCode,
  };
}

/** An error where there is room for one line only: what, where and the offending text. */
export function inOneLine({ message, place, found }: PayrunError): string {
  const where = place === undefined ? '' : ` (${placeText(place)})`;
  return `${message}${where}${found === undefined ? '' : ` Found: ${clip(found)}`}`;
}

function placeText(place: Place | undefined): string {
  if (!place) return '';
  const file =
    place.file === undefined ? '' : place.line === undefined ? place.file : `${place.file}:${place.line}`;
  const line = place.file === undefined && place.line !== undefined ? `line ${place.line}` : '';
  const field = place.field === undefined ? '' : `field "${place.field}"`;
  return [file, line, field].filter(Boolean).join(', ');
}

function clip(text: string): string {
  const shown = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  return shown.includes('\n') ? JSON.stringify(shown) : shown;
}
