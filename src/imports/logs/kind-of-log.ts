import { PayrunError } from '../../errors.ts';
import type { Work } from '../../runs/work.ts';
import type { InputFile } from '../files/open.ts';
import { type FoundKind, logKindOf } from './event-log.ts';

/** Whose events a log holds: what its source says, or else the file itself, which must not say otherwise. */
export async function kindOfLog(work: Work, file: InputFile, ref: string | undefined): Promise<FoundKind> {
  const found = await logKindOf(file.as('utf-8'));
  const account = work.context.config.accounts.find((one) => one.ref === work.account.ref);
  const source = account?.sources.find((one) => one.ref === ref);
  if (source?.kind === 'stripe_events') return { kind: source.kind, why: 'that is what the source is for' };
  if (ref !== undefined && found.kind === 'stripe_events')
    throw new PayrunError(
      'file-refused',
      `This is a log of Stripe’s events, and the source "${ref}" is for logs of another kind.`,
      {
        place: { file: file.shown },
        todo: 'Name a source of kind stripe_events with --source, or leave --source out.',
      },
    );
  return found;
}
