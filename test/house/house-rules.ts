import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** A source file and what it imports, both as paths from the project's root. */
export interface SourceFile {
  file: string;
  imports: string[];
  text: string;
}

/** Which room may look down on which: a file imports its own level's peers in the same room, or lower levels. */
const levels: [pattern: RegExp, level: number, room: string][] = [
  [
    /^src\/(batcher|csv|disk|errors|file-faults|find-workspace|spreadsheet|money|ids|time|log|config|config-schema|config-source|config-words|config-depth|config-doubles|limits|context|preset-names|machine-faults|package-root|secrets|system-fault|visible)\.ts$/,
    0,
    'base',
  ],
  [/^src\/db\//, 1, 'db'],
  [/^src\/ledger\//, 2, 'ledger'],
  [/^src\/runs\//, 3, 'runs'],
  [/^src\/imports\//, 4, 'imports'],
  [/^src\/payouts\//, 4, 'payouts'],
  [/^src\/reconcile\//, 4, 'reconcile'],
  [/^src\/upstream\//, 4, 'upstream'],
  [/^src\/commands\//, 5, 'commands'],
  [/^src\/api\//, 5, 'api'],
  [/^src\/(cli|main|program|index)\.ts$/, 6, 'top'],
  [/^jobs\//, 7, 'jobs'],
];

/** A room with many files is entered by its parent file; commands may not reach past it. */
const parents: Record<string, string[]> = {
  imports: ['src/imports/import.ts', 'src/imports/requests.ts'],
  payouts: ['src/payouts/payout.ts'],
  reconcile: ['src/reconcile/reconcile.ts'],
  api: ['src/api/api.ts'],
};

/** The one command that starts what stands beside it. */
const starter = { file: 'src/commands/serve.ts', target: 'src/api/api.ts' };

/** Reads every TypeScript file of `folders` below `root`. */
export function readSources(root: string, folders: string[]): SourceFile[] {
  return folders.flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => {
        const file = path.posix.join(folder, name.split(path.sep).join('/'));
        const text = readFileSync(path.join(root, file), 'utf8');
        return { file, imports: importsOf(file, text), text };
      }),
  );
}

/** What breaks the rules, one sentence each with the reason; an empty list when the house is in order. */
export function broken(sources: SourceFile[]): string[] {
  return [...sources.flatMap(importFaults), ...cycles(sources), ...sources.flatMap(leftovers)];
}

function importFaults({ file, imports }: SourceFile): string[] {
  const from = placeOf(file);
  if (!from)
    return [
      `${file}: stands in no room; every source file belongs to one, so that its place says what it may use`,
    ];
  return imports.flatMap((target) => {
    const to = placeOf(target);
    if (!to) return [`${file}: imports ${target}, which stands in no room`];
    if (from.room === 'jobs') {
      return target === 'src/index.ts'
        ? []
        : [`${file}: imports ${target}; jobs use the public surface src/index.ts alone, as a user's own do`];
    }
    if (from.room === to.room || (file === starter.file && target === starter.target)) return [];
    if (to.level >= from.level) {
      return [
        `${file}: imports ${target}; imports only go down (${from.room} ${from.level}, ${to.room} ${to.level}), so that a room can be read without those above it`,
      ];
    }
    const entrances = parents[to.room];
    if (entrances && !entrances.includes(target)) {
      return [
        `${file}: imports ${target}; the room ${to.room} is entered by ${entrances.join(' or ')}, which shows the order of its steps`,
      ];
    }
    return [];
  });
}

/** Imports that lead back to where they started, types included: neither file can then be understood alone. */
function cycles(sources: SourceFile[]): string[] {
  const graph = new Map(sources.map(({ file, imports }) => [file, imports]));
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, trail: string[]): void => {
    const at = trail.indexOf(file);
    if (at !== -1) {
      found.push(`${[...trail.slice(at), file].join(' -> ')}: a circle of imports`);
      return;
    }
    if (done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...trail, file]);
    done.add(file);
  };
  for (const { file } of sources) visit(file, []);
  return found;
}

const longest = 220;

/** Long by intent: every row type stands on one page. */
const onePage = 'src/db/tables.ts';

function leftovers({ file, text }: SourceFile): string[] {
  const faults: string[] = [];
  const lines = text.split('\n');
  if (lines.length > longest && file !== onePage)
    faults.push(`${file}: has ${lines.length} lines; over ${longest} it holds more than one thing`);
  if (/(^|\/)(utils?|helpers?|misc|common)\b/.test(file))
    faults.push(`${file}: a name that says nothing about what is inside`);
  if (file !== 'src/index.ts' && /^index\.ts$/.test(path.basename(file)))
    faults.push(`${file}: only src/index.ts gathers what others export`);
  lines.forEach((line, index) => {
    for (const [pattern, why] of forbidden) {
      if (pattern.test(line)) faults.push(`${file}:${index + 1}: ${why}`);
    }
  });
  return faults;
}

const forbidden: [RegExp, string][] = [
  [/\b(TODO|FIXME|XXX)\b/, 'unfinished work belongs in an issue'],
  [/@ts-(ignore|expect-error|nocheck)/, 'the type checker is right, or the types are to be mended'],
  [/\bparseFloat\(|\.toFixed\((?!1\))/, 'money is never a float'],
  [/\bIntl\.NumberFormat\b/, 'the runtime’s currency tables are not ISO 4217'],
];

function placeOf(file: string): { level: number; room: string } | undefined {
  const found = levels.find(([pattern]) => pattern.test(file));
  return found && { level: found[1], room: found[2] };
}

function importsOf(file: string, text: string): string[] {
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((match) => match[1]!);
  return specifiers
    .filter((one) => /\.ts$/.test(one))
    .map((one) => path.posix.join(path.posix.dirname(file), one));
}
