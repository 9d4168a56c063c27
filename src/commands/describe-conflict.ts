import type { Selectable } from 'kysely';
import type { ImportRow } from '../db/tables.ts';
import { showId } from '../ids.ts';
import { isAcceptable } from '../ledger/accept.ts';
import {
  type ConflictStory,
  type ConflictSummary,
  type Difference,
  readableDifference,
} from '../ledger/conflicts.ts';
import { formatAmount, showAmount } from '../money.ts';
import { showInstant, zoned } from '../time.ts';
import { type Paint, pairs, paragraphs, section, sentences, table, words } from './render.ts';

/** The conflicts of a list, each with the fields that differ. */
export function describeConflictList(paint: Paint, conflicts: ConflictSummary[], all: boolean): string {
  if (conflicts.length === 0)
    return all ? 'There are no conflicts.' : 'No conflict waits for a decision; --all shows those decided.';
  return paragraphs(...conflicts.map((one) => describeSummary(paint, one)));
}

function describeSummary(paint: Paint, one: ConflictSummary): string {
  const status = one.status === 'open' ? paint.warn(one.status) : `${one.status} by ${one.decided_by}`;
  const found = one.found_at ? `, ${showInstant(one.found_at, paint.zone)}` : '';
  const origin = `${one.file ?? 'unknown file'}:${one.line}${found}`;
  const fields = Object.entries(one.difference).map(
    ([field, { ours, theirs }]) =>
      `  ${words(field)}: ${shown(ours)} is recorded, ${shown(theirs)} came again`,
  );
  const heading = `${showId('conflict', one.id)}  ${paint.bold(one.external_id)}  ${status}`;
  return sentences([heading, `  came again in ${origin}`, ...fields]);
}

/** One conflict with all of its facts, what differs marked, and where both versions came from. */
export function describeConflict(paint: Paint, story: ConflictStory): string {
  const { conflict, commission, conversion, program } = story;
  const at = (instant: Date) => showInstant(instant, program.timezone);
  const rows = factsOf(story).map(({ field, ours, theirs, differs }) => [
    words(field),
    ours,
    theirs,
    differs ? paint.warn('differs') : '',
  ]);
  const columns = ['field', 'recorded', 'came again', ''].map((title) => ({ title }));
  const decision =
    conflict.status === 'open'
      ? sentences([
          'Nobody has decided yet.',
          `If the recorded sale is right: payrun conflicts keep ${showId('conflict', conflict.id)} --by <name>`,
          ...(isAcceptable(conflict)
            ? [`If the other one is: payrun conflicts accept ${showId('conflict', conflict.id)} --by <name>`]
            : []),
        ])
      : sentences([
          `It was ${conflict.status} by ${conflict.decided_by}${conflict.decided_at ? `, ${at(conflict.decided_at)}` : ''}.`,
          ...(conflict.reason === null ? [] : [`Reason: ${conflict.reason}`]),
        ]);
  return paragraphs(
    sentences([
      `${paint.bold(`Conflict ${showId('conflict', conflict.id)}`)}  ${conflict.external_id}  ${conflict.status}`,
    ]),
    section(paint, 'Field by field', (inner) => table(inner, columns, rows)),
    section(paint, 'Where they came from', (inner) =>
      pairs(inner, [
        ['recorded', originText(story.ours, conversion.import_id, conversion, at)],
        ['came again', originText(story.theirs, conflict.import_id, conflict, at, conflict.found_at)],
        [
          'commission',
          commission
            ? `${showAmount(commission.amount, commission.currency)}, ${words(commission.status)} (${showId('commission', commission.id)})`
            : `none: ${conversion.no_commission_reason ?? 'no reason is known'}`,
        ],
      ]),
    ),
    section(paint, 'Decision', decision),
  );
}

/** The same for programs: amounts as exact decimals, instants as Date. */
export function conflictData(story: ConflictStory) {
  const { conflict, conversion, commission } = story;
  const origin = (file: Selectable<ImportRow> | undefined, importId: string, line: number) => ({
    import: showId('import', importId),
    kind: file?.kind ?? null,
    file: file?.file ?? null,
    line,
    imported_at: file?.finished_at ?? null,
  });
  return {
    conflict: showId('conflict', conflict.id),
    status: conflict.status,
    external_id: conflict.external_id,
    conversion: showId('conversion', conversion.id),
    difference: differenceOf(story),
    facts: factsOf(story),
    ours: origin(story.ours, conversion.import_id, conversion.line),
    theirs: { ...origin(story.theirs, conflict.import_id, conflict.line), found_at: conflict.found_at },
    commission: commission
      ? {
          commission: showId('commission', commission.id),
          amount: formatAmount(commission.amount, commission.currency),
          currency: commission.currency,
          status: commission.status,
        }
      : null,
    decided_by: conflict.decided_by,
    decided_at: conflict.decided_at,
    reason: conflict.reason,
  };
}

interface Fact {
  field: string;
  ours: string;
  theirs: string;
  differs: boolean;
}

/**
 * Every fact of a sale on both sides: what the difference does not name was the same, except for a status of its own. Of a
 * refund or a dispute, the sale that it is about and what differs.
 */
function factsOf(story: ConflictStory): Fact[] {
  const { conflict, conversion, program } = story;
  if (conflict.about !== 'sale')
    return [
      { field: 'sale', ours: conversion.external_id, theirs: conversion.external_id, differs: false },
      ...Object.entries(differenceOf(story)).map(([field, { ours, theirs }]) => ({
        field,
        ours: shown(ours),
        theirs: shown(theirs),
        differs: true,
      })),
    ];
  // To the second: two times that differ must not look the same.
  const at = (instant: Date) => {
    const local = zoned(instant, program.timezone);
    return `${local.toPlainDate()} ${local.toPlainTime().toString({ smallestUnit: 'second' })} ${program.timezone}`;
  };
  const recorded: Record<string, string> = {
    affiliate: story.affiliateRef,
    amount: formatAmount(conversion.amount, conversion.currency),
    currency: conversion.currency,
    occurred_at: at(conversion.occurred_at),
    product_ids: shown(conversion.product_ids ?? []),
    sales_status: conversion.sales_status,
  };
  const difference = differenceOf(story);
  return Object.entries(recorded).map(([field, ours]) => {
    const other = difference[field];
    if (field === 'sales_status' && !other)
      return { field, ours, theirs: conflict.sales_status, differs: conflict.sales_status !== ours };
    if (other === undefined) return { field, ours, theirs: ours, differs: false };
    // What was recorded then: a version that was accepted has taken its place since.
    const [first, second] = [other.ours, other.theirs].map((value) =>
      field === 'occurred_at' && value !== null ? at(new Date(value)) : shown(value),
    );
    return { field, ours: first!, theirs: second!, differs: true };
  });
}

function differenceOf({ conflict, conversion }: ConflictStory): Difference {
  return readableDifference(conflict.difference, conversion.currency);
}

function originText(
  file: Selectable<ImportRow> | undefined,
  importId: string,
  { external_id, line }: { external_id: string; line: number },
  at: (instant: Date) => string,
  when: Date | null = null,
): string {
  const where = `${file?.file ?? 'unknown file'}:${line}`;
  const what = file?.kind === 'events' ? `the event ${external_id} in ${where}` : where;
  const moment = when ?? file?.finished_at;
  return `${what}${moment ? `, ${at(moment)}` : ''} (${showId('import', importId)})`;
}

/** A value of a difference; lists of products come as lists. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(', ');
  return value === null || value === undefined || value === '' ? 'none' : String(value);
}
