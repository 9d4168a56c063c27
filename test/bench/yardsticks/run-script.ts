import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';

/*
 * Stands for psql, which not every machine has: node run-script.ts <script.sql> name=value …
 * runs the statements of a script one by one, with `:'name'` replaced, `\ir` taking in another script beside it,
 * `\copy … from pstdin` fed from standard input and `copy … to stdout` printed. The database is that of DATABASE_URL.
 */

const [script, ...settings] = process.argv.slice(2);
const variables = new Map(settings.map((text) => text.split(/=(.*)/s, 2) as [string, string]));
const text = scriptWithIncluded(script!);

// psql starts in a few milliseconds; what Node needs until here is not counted against the script.
performance.mark('begin');
const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
await client.connect();
for (const statement of statementsOf(text))
  await run(statement.replace(/:'(\w+)'/g, (_, name) => variable(name)));
await client.end();

function scriptWithIncluded(file: string): string {
  return readFileSync(file, 'utf8').replace(/^\\ir (\S+)$/gm, (_, name) =>
    scriptWithIncluded(path.join(path.dirname(file), name)),
  );
}

function statementsOf(script: string): string[] {
  const lines = script.split('\n').filter((line) => !line.startsWith('--'));
  const ended = lines.map((line) => (line.startsWith('\\copy ') ? `${line.slice(1)};` : line)).join('\n');
  return ended.split(/;\s*\n/).filter((statement) => statement.trim() !== '');
}

async function run(statement: string): Promise<void> {
  if (/^\s*copy \w+ from pstdin/.test(statement)) {
    await pipeline(process.stdin, client.query(copyFrom(statement.replace('pstdin', 'stdin'))));
  } else if (/^\s*copy /.test(statement)) {
    await pipeline(client.query(copyTo(statement)), process.stdout);
  } else {
    await client.query(statement);
  }
}

function variable(name: string): string {
  const value = variables.get(name);
  if (value === undefined) throw new Error(`The script needs ${name}=…`);
  return pg.escapeLiteral(value);
}
