import { PayrunError } from '../errors.ts';
import type { DatabaseWords } from './sqlstate.ts';

/** Whose connection it is, and to what. */
export interface Who {
  user?: string | undefined;
  database?: string | undefined;
}

/** What the server says is denied, what right that is, and the statement that gives it. */
const denials: [
  said: RegExp,
  right: (name: string) => string,
  give: (name: string, role: string) => string,
][] = [
  [
    /permission denied for schema (.+)/,
    (schema) => `the right CREATE on the schema ${schema}, which nobody has by itself since PostgreSQL 15`,
    (schema, role) => `GRANT USAGE, CREATE ON SCHEMA ${quoted(schema)} TO ${role};`,
  ],
  [
    /permission denied for (?:table|view|relation) (.+)/,
    (table) => `the right to read or change the table ${table}`,
    (_, role) => `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role};`,
  ],
  [
    /permission denied for sequence (.+)/,
    (sequence) => `the right USAGE on the sequence ${sequence}`,
    (_, role) => `GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO ${role};`,
  ],
  [
    /permission denied to create temporary tables in database "(.+)"/,
    (database) => `the right TEMPORARY on the database ${database}`,
    (database, role) => `GRANT TEMPORARY ON DATABASE ${quoted(database)} TO ${role};`,
  ],
  [
    /permission denied for database "?([^"]+)"?/,
    (database) => `the right CONNECT on the database ${database}`,
    (database, role) => `GRANT CONNECT, TEMPORARY ON DATABASE ${quoted(database)} TO ${role};`,
  ],
  [
    /must be owner of (?:table|relation|index|sequence) (.+)/,
    (table) => `the ownership of ${table}, without which it can't be altered`,
    (table, role) => `ALTER TABLE ${quoted(table)} OWNER TO ${role};`,
  ],
];

/** `database-denied`: which right the role lacks, and the statement that gives it. */
export function deniedFault(cause: DatabaseWords, { user, database }: Who = {}): PayrunError {
  const role = user === undefined ? '<role>' : quoted(user);
  const who = user === undefined ? 'The role' : `The role ${user}`;
  const [right, give] = rightsIn(cause.message, role) ?? [
    `a right on the database${database === undefined ? '' : ` ${database}`}`,
    `GRANT USAGE, CREATE ON SCHEMA public TO ${role}; GRANT ALL ON ALL TABLES IN SCHEMA public TO ${role};`,
  ];
  return new PayrunError('database-denied', `${who} lacks ${right}.`, {
    found: `SQLSTATE 42501: ${cause.message}`,
    todo: `As a superuser, or the owner of the database: ${give}`,
    cause,
  });
}

/** The server may speak another language; then it is not known. */
function rightsIn(message: string, role: string): [right: string, give: string] | undefined {
  for (const [said, right, give] of denials) {
    const name = said.exec(message)?.[1];
    if (name !== undefined) return [right(name), give(name, role)];
  }
  return undefined;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
