import type { Context } from '../context.ts';
import { type Plan, planChanges } from '../db/apply.ts';
import type { Db } from '../db/connect.ts';
import { PayrunError } from '../errors.ts';
import { faultOf } from '../runs/fault.ts';
import { plural } from './render.ts';

/** What `payrun apply` would change now; a few small reads in one snapshot. Raises what planChanges raises. */
export async function unappliedChanges({
  config,
  db,
  clock,
}: Pick<Context<Db>, 'config' | 'db' | 'clock'>): Promise<Plan['changes']> {
  const plan = await db.transaction((session) => planChanges(session, config.accounts, clock()), {
    snapshot: true,
  });
  return plan.changes;
}

/**
 * Warns in the log of a payrun.json that was changed and not applied: how files are read comes from it at once, while
 * rates and holds come from the database. Never fails the command for it.
 */
export async function warnOfUnapplied(context: Context<Db>): Promise<void> {
  try {
    const changes = await unappliedChanges(context);
    if (changes.length === 0) return;
    const message = `payrun.json differs from the database in ${plural(changes.length, 'change')}; "payrun apply" makes it count`;
    context.log.warning({ message });
  } catch (cause) {
    const fault = faultOf(cause, context.signal);
    if (!(fault instanceof PayrunError)) throw fault;
    context.log.warning({ message: `payrun.json can't be compared with the database: ${fault.message}` });
  }
}
