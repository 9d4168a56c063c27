import { type Command, Option } from 'commander';
import { saleFields } from '../config-source.ts';
import { PayrunError } from '../errors.ts';
import { showId } from '../ids.ts';
import {
  type Choice,
  type ImportOutcome,
  importFile,
  type Kind,
  peopleFields,
  readExpected,
  viewImported,
} from '../imports/import.ts';
import { executeRun } from '../runs/run.ts';
import { warnOfUnapplied } from './applied.ts';
import { describeImport, type Imported } from './describe-import.ts';
import { columnsOf, examples, kinds } from './import-words.ts';
import { withAccount } from './open.ts';
import { dryRunFlag, dryRunHelp } from './options.ts';
import { added, readMapping } from './read-mapping.ts';
import { type Paint, paragraphs } from './render.ts';
import { saveMapping } from './save-mapping.ts';
import type { Answer, Shell } from './shell.ts';

interface ImportFlags {
  source?: string;
  again?: boolean;
  dryRun?: boolean;
  plan?: string;
  expectRows?: string;
  expectTotal?: string[];
  saveMapping?: string;
  map?: string[];
  ignore?: string[];
}

/** Adds `payrun import sales|events|affiliates|referrals`. */
export function register(program: Command, shell: Shell): void {
  const parent = program
    .command('import')
    .summary('sales, events, affiliates or referrals from files')
    .description('Import sales, events, affiliates or referrals from files.')
    .addHelpText('after', examples);
  for (const [kind, description] of kinds) {
    const command = parent
      .command(kind)
      .description(description)
      .argument('<file...>', 'files, also packed as .gz or .zip; - is standard input')
      .option('--again', 'import a file although the same bytes were imported before')
      .option(dryRunFlag, dryRunHelp)
      .option(
        '--plan <code>',
        'import exactly what --dry-run showed, by the code it ended with, if nothing has changed since',
      );
    if (kind === 'sales' || kind === 'events') {
      command
        .option(
          '--expect-rows <count>',
          'refuse the file unless it has so many rows of data, or lines of a log',
        )
        .option(
          '--expect-total <currency=sum...>',
          'refuse the file unless its amounts come to this: EUR=18230.55',
        );
      command.addOption(new Option('-s, --source <ref>', 'how to read it: a source of payrun.json'));
    }
    if (kind === 'sales') {
      const help = 'accept the mapping proposed for an unknown file: add it to payrun.json under this name';
      command
        .addOption(new Option('--save-mapping <ref>', help).conflicts(['source', 'plan']))
        .option(
          '--map <field=column>',
          'with --save-mapping: the column of a field; may stand several times',
          added,
        )
        .option(
          '--ignore <column>',
          'with --save-mapping: leave a column out, by name; may stand several times',
          added,
        );
    }
    if (kind === 'affiliates' || kind === 'referrals') {
      command.option('--map <field=column>', 'the column of a field; may stand several times', added);
      command.addHelpText('after', columnsOf[kind]);
    }
    command.action(shell.does((files: string[], flags: ImportFlags) => importAll(shell, kind, files, flags)));
  }
}

/** Imports the files one after the other, each as a run of its own; one that is refused does not keep the next away. */
async function importAll(shell: Shell, kind: Kind, files: string[], flags: ImportFlags): Promise<Answer> {
  if (flags.plan !== undefined && files.length > 1)
    throw new PayrunError('usage', 'A plan is of one file.', { place: { field: '--plan' } });
  if (files.filter((file) => file === '-').length > 1)
    throw new PayrunError('usage', 'Standard input can be read once only.');
  const { again, plan, saveMapping: ref } = flags;
  const expected = readExpected(flags.expectRows, flags.expectTotal ?? []);
  if (expected && files.length > 1)
    throw new PayrunError('usage', 'Control totals are of one file.', { place: { field: '--expect-rows' } });
  if (ref !== undefined && (files.length > 1 || files[0] === '-'))
    throw new PayrunError('usage', 'A mapping is saved for one file, which is read twice.', {
      todo: 'Name one file with --save-mapping; import the others afterwards with --source.',
    });
  const isOfPeople = kind === 'affiliates' || kind === 'referrals';
  const mapping = isOfPeople ? readMapping(flags.map ?? [], peopleFields[kind]) : undefined;
  const choice = isOfPeople ? undefined : readChoice(flags);
  if (!isOfPeople && ref === undefined && (flags.map ?? flags.ignore))
    throw new PayrunError('usage', '--map and --ignore say what a mapping is to be that is saved.', {
      todo: 'Give --save-mapping and a name for the source as well.',
    });
  return withAccount(shell, async (opened, account) => {
    const dryRun = flags.dryRun === true;
    // Saving a mapping applies all else that was changed.
    if (ref === undefined || dryRun) await warnOfUnapplied(opened);
    const context =
      ref === undefined || choice === undefined
        ? opened
        : await saveMapping(shell, opened, account, { file: files[0]!, ref, choice, dryRun });
    const source = flags.source ?? ref;
    const isTrial = ref !== undefined && dryRun;
    const done: Imported[] = [];
    for (const file of files) {
      const spec = {
        job: 'import-file',
        parameters: { kind, file, ...flags },
        asOf: shell.clock(),
        dryRun,
      };
      try {
        const result = await executeRun<ImportOutcome>(context, account, spec, (work) =>
          importFile(work, { kind, file, source, isTrial, again, plan, mapping, expected }),
        );
        if (result.status === 'skipped') throw new Error('An import by hand has no slot.');
        const run = spec.dryRun ? null : showId('run', result.runId);
        done.push({ run, kind, dryRun: spec.dryRun, outcome: result.outcome });
      } catch (cause) {
        const isLast = file === files.at(-1);
        if (!isOfFile(cause) || (isLast && done.length === 0)) throw cause;
        done.push({ run: null, kind, dryRun: spec.dryRun, refused: cause, file });
      }
    }
    return answerOf(done);
  });
}

function readChoice({ map = [], ignore = [] }: ImportFlags): Choice {
  return { mapping: readMapping(map, saleFields), ignore };
}

/** Whether only this file is at fault: what became of the others is told all the same. */
function isOfFile(cause: unknown): cause is PayrunError {
  return cause instanceof PayrunError && ['file-refused', 'file-unreadable'].includes(cause.code);
}

function answerOf(done: Imported[]): Answer {
  const documents = done.map(documentOf);
  const codes = done.map((one) => ('refused' in one ? 1 : (one.outcome.exitCode ?? 0)));
  return {
    data: documents.length === 1 ? documents[0] : documents,
    text: (paint) =>
      paragraphs(...done.map((one) => describeImport(paint, one)), rehearsedApart(paint, done)),
    exitCode: codes.includes(1) ? 1 : codes.includes(3) ? 3 : 0,
  };
}

/** A rehearsal keeps nothing, so that no file of it knows what the one before would have recorded. */
function rehearsedApart(paint: Paint, done: Imported[]): string {
  if (done.filter((one) => one.dryRun && !('refused' in one)).length < 2) return '';
  return paint.warn(
    'Each file was rehearsed by itself: a row of two files counts in both, and importing one file makes the plans of the others stale.',
  );
}

function documentOf(one: Imported): unknown {
  if ('refused' in one) {
    const { code, message, place } = one.refused;
    return { run: null, import: null, file: one.file, error: { code, message, ...place } };
  }
  return viewImported(one);
}
