import pg from 'pg';
import { type ErrorCode, PayrunError } from '../errors.ts';

/** What Postgres says of a failed statement. */
export type DatabaseWords = pg.DatabaseError;

interface Meaning {
  code: ErrorCode;
  what: string;
  todo?: string;
}

const changedByHand =
  'Somebody has changed the tables by hand: change them back, or restore the backup of before.';

/** By SQLSTATE, or by its class where the whole class means the same; the longest that fits counts. */
const meanings: Record<string, Meaning> = {
  '0A': {
    code: 'database-schema',
    what: 'The database server does not know a feature that Payrun needs.',
    todo: 'Use PostgreSQL 14 or newer, without a pooler that takes single statements only.',
  },
  '22': { code: 'database-refused', what: 'The database refused a value.' },
  '23': { code: 'database-refused', what: 'The database refused a row that contradicts others.' },
  '25': {
    code: 'database-canceled',
    what: 'The database ended a transaction before its work was done.',
    todo: 'Set idle_in_transaction_session_timeout and transaction_timeout of the role to 0, and let a pooler lend whole transactions at least.',
  },
  '25006': { code: 'database-read-only', what: 'The database may only be read.' },
  '28': { code: 'database-login', what: 'The database refused the login.' },
  '3D': {
    code: 'database-login',
    what: 'The server has no database of this name.',
    todo: 'Correct the name at the end of DATABASE_URL, or create the database: CREATE DATABASE … OWNER ….',
  },
  '3F': {
    code: 'database-denied',
    what: 'There is no schema in which the role may create tables.',
    todo: 'As a superuser or the owner of the database: GRANT USAGE, CREATE ON SCHEMA public TO <role>; or correct the search_path of the role.',
  },
  '40': { code: 'database-busy', what: 'Others changed the same rows at the same moment, again and again.' },
  '42703': {
    code: 'database-schema',
    what: 'A table of the database lacks a column that Payrun made.',
    todo: changedByHand,
  },
  '42704': {
    code: 'database-schema',
    what: 'The database server lacks a setting or object that Payrun needs.',
    todo: 'Use PostgreSQL 14 or newer; then run "payrun db migrate" and "payrun check".',
  },
  '42883': { code: 'database-schema', what: 'The database lacks a function that Payrun needs.' },
  '42P01': {
    code: 'database-schema',
    what: 'The database lacks a table that Payrun made.',
    todo: changedByHand,
  },
  '53': { code: 'database-exhausted', what: 'The database server has run out of something.' },
  '53100': {
    code: 'database-exhausted',
    what: 'The disk of the database server is full.',
    todo: 'Free space where the server keeps its data (and /dev/shm, where "found" names that), then start the command again: nothing half done was kept.',
  },
  '53200': {
    code: 'database-exhausted',
    what: 'The database server has run out of memory.',
    todo: 'Give it more memory, or a smaller work_mem, then start the command again: nothing half done was kept.',
  },
  '53300': {
    code: 'database-exhausted',
    what: 'The database server has no connection left.',
    todo: 'Raise max_connections, or the CONNECTION LIMIT of the role: a run of Payrun takes up to eight. Or end other sessions, and start the command again.',
  },
  '54': { code: 'database-limit', what: 'A value or statement is larger than the database takes.' },
  '55': { code: 'database-busy', what: 'Another session holds what this command needs.' },
  '57014': {
    code: 'database-canceled',
    what: 'The database canceled a statement: its statement_timeout had passed, or an administrator did it.',
  },
  '58': { code: 'database-damaged', what: 'The database server cannot read or write its own files.' },
  XX: { code: 'database-damaged', what: 'The database server has met an error within itself.' },
};

/**
 * What the SQLSTATE of a failed statement means to a person; anything else, and what only wrong SQL can raise, comes
 * back as it is. The server's own words may quote values, so only whoever asked is shown them.
 */
export function sqlstateFault(cause: unknown): unknown {
  if (!(cause instanceof pg.DatabaseError) || cause.code === undefined) return cause;
  const { code, constraint, table, message } = cause;
  const meaning = meanings[code] ?? meanings[code.slice(0, 2)];
  if (!meaning) return cause;
  const about = [table && `table ${table}`, constraint && `constraint ${constraint}`].filter(Boolean);
  return new PayrunError(meaning.code, meaning.what, {
    found: [`SQLSTATE ${code}`, ...about].join(', '),
    aside: [message],
    ...(meaning.todo === undefined ? {} : { todo: meaning.todo }),
    cause,
  });
}
