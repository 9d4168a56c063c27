import type { SourceConfig } from '../config.ts';
import { listed, PayrunError } from '../errors.ts';
import { type Limits, limitsOf } from '../limits.ts';
import type { Work } from '../runs/work.ts';

/** How a file is to be read, and for which programme it counts. */
export interface Source {
  /** Undefined for the canonical layout, which needs no source, and for one on trial. */
  id: string | undefined;
  ref: string | undefined;
  settings: Omit<SourceConfig, 'ref' | 'kind' | 'program'>;
  programId: string;
  /** The programme's. */
  currency: string;
}

const canonical: Source['settings'] = { id_prefix: '', allow_empty: false };

/**
 * The sources that a file of `kind` may have, likeliest first: the one named, or else each of the account's of that
 * kind (and only one), then the canonical layout. With `isTrial` they need not be in the database yet. Raises `usage` for an unknown ref and `config-not-applied`.
 */
export async function sourcesFor(
  work: Pick<Work, 'context' | 'account'>,
  kind: SourceConfig['kind'],
  ref: string | undefined,
  { isTrial = false } = {},
): Promise<Source[]> {
  const account = work.context.config.accounts.find((one) => one.ref === work.account.ref);
  const ofKind = account?.sources.filter((one) => one.kind === kind) ?? [];
  const wanted = ref === undefined ? ofKind : ofKind.filter((one) => one.ref === ref);
  if (ref !== undefined && wanted.length === 0) throw unknown(ref, kind, ofKind);
  const programs = await work.context.db.sql
    .selectFrom('program')
    .select(['id', 'ref', 'currency'])
    .where('account_id', '=', work.account.id)
    .where('retired', '=', false)
    .execute();
  const stored = await work.context.db.sql
    .selectFrom('source')
    .select(['id', 'ref'])
    .where('account_id', '=', work.account.id)
    .where('retired', '=', false)
    .execute();
  const programOf = (name: string) => {
    const found = programs.find((program) => program.ref === name) ?? notApplied('programme', name);
    return { programId: found.id, currency: found.currency };
  };
  const sources: Source[] = wanted.map(({ ref: name, kind: _, program, ...settings }) => ({
    id:
      stored.find((source) => source.ref === name)?.id ?? (isTrial ? undefined : notApplied('source', name)),
    ref: name,
    settings,
    ...programOf(program),
  }));
  const first = account?.programs[0];
  if (ref === undefined && first && (sources.length > 0 || account.programs.length === 1)) {
    sources.push({ id: undefined, ref: undefined, settings: canonical, ...programOf(first.ref) });
  }
  if (sources.length === 0) {
    throw new PayrunError(
      'usage',
      'The account has several programmes, and the file does not say for which it is.',
      {
        todo: 'Describe a source for it in payrun.json, and name it with --source.',
      },
    );
  }
  return sources;
}

/** The limits of a file of `kind`: those of the source named, or else of the account's first of that kind. */
export function limitsFor(
  work: Pick<Work, 'context' | 'account'>,
  kind: SourceConfig['kind'],
  ref: string | undefined,
): Limits {
  const account = work.context.config.accounts.find((one) => one.ref === work.account.ref);
  const source = account?.sources.find((one) => one.kind === kind && (ref === undefined || one.ref === ref));
  return limitsOf(source?.limits);
}

function notApplied(what: string, ref: string): never {
  throw new PayrunError(
    'config-not-applied',
    `The database does not know the ${what} "${ref}" of payrun.json yet.`,
  );
}

function unknown(ref: string, kind: string, known: { ref: string }[]): PayrunError {
  const names = listed(known.map((source) => `"${source.ref}"`));
  return new PayrunError('usage', `payrun.json has no source "${ref}" of kind ${kind}.`, {
    todo: names
      ? `Use one of ${names}, or add it to payrun.json and run "payrun apply".`
      : 'Add it to payrun.json and run "payrun apply".',
  });
}
