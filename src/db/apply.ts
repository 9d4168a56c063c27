import type { Selectable } from 'kysely';
import type { AccountConfig } from '../config.ts';
import { PayrunError } from '../errors.ts';
import { newId } from '../ids.ts';
import { incentiveFields, incentiveRow, saveIncentive } from './apply/incentive.ts';
import { type Change, differences, matched, type Step, stepOf } from './apply/pair.ts';
import { checkCurrency, owedThere, type Program, programPair, programRow } from './apply/program.ts';
import { saveSource, sourceFields, sourceRow } from './apply/source.ts';
import { type Db, isCommitUnknown, type Session } from './connect.ts';
import type { Tables } from './tables.ts';

export type { Change };

/** What it takes to make the database agree with the accounts of a configuration. */
export interface Plan {
  changes: Change[];
  /** Accounts of the database that the configuration does not name; they stay as they are. */
  unnamed: string[];
  accounts: AccountPlan[];
}

interface AccountPlan {
  id: string;
  ref: string;
  name: string;
  steps: Step[];
}

/**
 * Makes the database agree with the configuration's accounts, in one transaction that keeps every other one of these
 * out; `show` is given the plan before it is carried out. When the answer to the commit is lost, the database itself is
 * asked by another plan. A dry run changes nothing. Returns the plan; raises what planChanges raises.
 */
export async function applyAccounts(
  db: Db,
  accounts: AccountConfig[],
  now: Date,
  { dryRun = false, show = () => {} }: { dryRun?: boolean; show?: (plan: Plan) => void } = {},
): Promise<Plan> {
  let shown: Plan | undefined;
  const apply = () =>
    db.transaction(
      async (session) => {
        await session.client.query(
          "/* apply.lock */ set local idle_in_transaction_session_timeout = '60s'; lock table account in share row exclusive mode",
        );
        const plan = await planChanges(session, accounts, now);
        if (!shown) show(plan);
        shown ??= plan;
        if (plan.changes.length > 0) await applyChanges(session, plan);
        return shown;
      },
      { rollback: dryRun },
    );
  try {
    return await apply();
  } catch (cause) {
    if (!isCommitUnknown(cause)) throw cause;
    // What was committed is no difference any more, and anything else is changed now.
    return apply().catch((fault) => {
      throw fault instanceof PayrunError && fault.code === 'database-unreachable' ? cause : fault;
    });
  }
}

/**
 * Compares the configuration's accounts with the database; changes nothing. `now` dates the ids of new rows.
 * Raises `state` when a programme that has conversions would change its currency.
 */
export async function planChanges(session: Session, accounts: AccountConfig[], now: Date): Promise<Plan> {
  const present = await session.sql.selectFrom('account').selectAll().orderBy('ref').execute();
  const plan: Plan = { changes: [], unnamed: [], accounts: [] };
  for (const { ref, name, programs, sources } of accounts) {
    const account = present.find((row) => row.ref === ref);
    const fields = differences(account && { name: account.name }, { name });
    if (fields.length > 0) {
      plan.changes.push({ kind: account ? 'changed' : 'added', noun: 'account', name: ref, fields });
    }
    const steps = await planRows(session, { ref, name, programs, sources }, account?.account_id, now);
    plan.changes.push(...steps.map((step) => step.change));
    plan.accounts.push({ id: account?.id ?? newId(now), ref, name, steps });
  }
  const named = new Set(accounts.map((account) => account.ref));
  plan.unnamed = present.map((account) => account.ref).filter((ref) => !named.has(ref));
  return plan;
}

/** Does what the plan says, within the caller's transaction. Rows are added, changed or retired, never deleted. */
export async function applyChanges(session: Session, plan: Plan): Promise<void> {
  for (const { id, ref, name, steps } of plan.accounts) {
    const { account_id: accountId } = await session.sql
      .insertInto('account')
      .values({ id, ref, name })
      .onConflict((conflict) => conflict.column('ref').doUpdateSet({ name }))
      .returning('account_id')
      .executeTakeFirstOrThrow();
    for (const step of steps) await step.save(session, accountId);
  }
}

/** Programmes first, because the other rows point at them. */
async function planRows(
  session: Session,
  config: AccountConfig,
  accountId: number | undefined,
  now: Date,
): Promise<Step[]> {
  const present = await presentRows(session, accountId);
  const programs = config.programs.map((program) =>
    programRow(present.programs.find((row) => row.ref === program.ref)?.id ?? newId(now), program),
  );
  const programPairs = matched(present.programs, programs, (row) => row.id);
  for (const pair of programPairs) {
    if (accountId !== undefined) await checkCurrency(session, accountId, nameIn(config, pair), pair);
  }
  const programSteps: Step[] = [];
  for (const pair of programPairs) {
    for (const step of stepOf({ ...pair, ...programPair, name: nameIn(config, pair) })) {
      if (step.change.kind === 'retired' && accountId !== undefined)
        step.change.fields.push(...(await owedThere(session, accountId, pair.present!.id)));
      programSteps.push(step);
    }
  }
  return [
    ...programSteps,
    ...planIncentives(config, present, programs, now),
    ...planSources(config, present, programs, now),
  ];
}

type Present = Awaited<ReturnType<typeof presentRows>>;

async function presentRows(session: Session, accountId = 0) {
  const rowsOf = async <Table extends 'program' | 'incentive' | 'source'>(table: Table) => {
    const rows = await session.sql
      .selectFrom(table as 'program' | 'incentive' | 'source')
      .selectAll()
      .where('account_id', '=', accountId)
      .orderBy('ref')
      .execute();
    return rows.map(({ account_id: _, ...row }) => row) as unknown as Omit<
      Selectable<Tables[Table]>,
      'account_id'
    >[];
  };
  return {
    programs: await rowsOf('program'),
    incentives: await rowsOf('incentive'),
    sources: await rowsOf('source'),
  };
}

function planIncentives(config: AccountConfig, present: Present, programs: Program[], now: Date): Step[] {
  const desired = config.programs.flatMap(({ incentives }, index) => {
    const program = programs[index]!;
    return incentives.map((incentive) => {
      const same = present.incentives.find(
        (row) => row.program_id === program.id && row.ref === incentive.ref,
      );
      return incentiveRow(same?.id ?? newId(now), incentive, program);
    });
  });
  return matched(present.incentives, desired, (row) => row.id).flatMap((pair) => {
    const { program_id: id, ref } = (pair.desired ?? pair.present)!;
    const sides = {
      present: present.programs.find((row) => row.id === id),
      desired: programs.find((row) => row.id === id),
    };
    return stepOf({
      ...pair,
      noun: 'incentive',
      name: `${nameIn(config, sides)}/${ref}`,
      fields: (row, side) => incentiveFields(row, (sides[side] ?? sides.present)!.currency),
      save: saveIncentive,
    });
  });
}

function planSources(config: AccountConfig, present: Present, programs: Program[], now: Date): Step[] {
  const desired = config.sources.map((source) => {
    const program = programs.find((row) => row.ref === source.program)!;
    const same = present.sources.find((row) => row.ref === source.ref);
    return sourceRow(same?.id ?? newId(now), source, program.id);
  });
  const programRef = (id: string) => [...programs, ...present.programs].find((row) => row.id === id)!.ref;
  return matched(present.sources, desired, (row) => row.id).flatMap((pair) =>
    stepOf({
      ...pair,
      noun: 'source',
      name: nameIn(config, pair),
      fields: (row) => sourceFields(row, programRef(row.program_id)),
      save: saveSource,
    }),
  );
}

function nameIn(
  account: AccountConfig,
  pair: { present?: { ref: string } | undefined; desired?: { ref: string } | undefined },
): string {
  return `${account.ref}/${(pair.desired ?? pair.present)!.ref}`;
}
