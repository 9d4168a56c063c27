import { type SaleField, saleFields } from '../../config-source.ts';
import { listed } from '../../errors.ts';
import type { ColumnValues } from './column-values.ts';
import { type Meaning, meaningOf } from './deciding.ts';
import { type Candidate, type Choice, isNamed, nameOf, type ProposedColumn } from './proposal-columns.ts';
import { currencyNamed } from './proposal-currency.ts';
import { fieldNamed } from './proposal-names.ts';
import { dateFormatOf, decimalOf, hasDecimals, looksLike } from './proposal-shapes.ts';
import { proposalLines } from './proposal-text.ts';

/** How an unknown file may be meant. Nothing reads a file by it before a person has accepted it. */
export interface Proposal {
  /** Field to header, or to a position where the header stands twice. */
  mapping: Partial<Record<SaleField, string>>;
  defaults: Partial<Record<SaleField, string>>;
  /** Columns that somebody has left out by name, as headers or positions. */
  ignore: string[];
  /** As the first rows prove; else the whole file has to. */
  decimal: '.' | ',' | undefined;
  date_format: string | undefined;
  /** What a source needs besides, in words; empty when the proposal is complete. */
  missing: string[];
  /** A sentence about the columns that no field takes, or none. */
  unused: string[];
  /** The same as lines for a person: header, field and first value, then what is open. It may show values of the file. */
  lines: string[];
  /** The columns whose values a person has to see in order to decide, and of amounts their decimal mark. */
  looksAt: { at: number; decimal: '.' | ',' | undefined }[];
}

/** Fields that the shape of their values gives away where no header does. */
const shaped = ['occurred_at', 'currency', 'amount'] as const;
const needed = ['external_id', 'affiliate', 'amount', 'occurred_at'] as const;
const nothingChosen: Choice = { mapping: {}, ignore: [] };

/**
 * Proposes what the columns of a header mean, by their names and by the `rows` that come first, after what a person has
 * chosen. Where two columns may be one field it is left open, as is the amount where several columns hold money, and a
 * column that decides what a row means must be mapped or left out by name. Without a column for it, the currency is the
 * one that the header of the amounts names, or that stands beside each of them, else `currency`, the programme's. `seen` is what stands in the columns of `looksAt`, once the file was read for it.
 */
export function propose(
  header: string[],
  rows: string[][],
  currency: string,
  choice: Choice = nothingChosen,
  seen: ReadonlyMap<number, ColumnValues> = new Map(),
): Proposal {
  const all = header.map((name, at) => ({
    header: name,
    at,
    values: rows.map((cells) => (cells[at] ?? '').trim()),
  }));
  const columns = all.filter((column) => !choice.ignore.some((name) => isNamed(column, name)));
  const chosen = saleFields.flatMap((field) => {
    const name = choice.mapping[field];
    const column = name === undefined ? undefined : columns.find((one) => isNamed(one, name));
    return column ? [{ ...column, field }] : [];
  });
  const candidates = candidatesOf(columns, chosen);
  const taken = new Set(candidates.map(({ at }) => at));
  const deciding = columns.flatMap((column) => {
    const isEmpty = seen.get(column.at)?.filled === 0;
    const meaning = taken.has(column.at) || isEmpty ? undefined : meaningOf(column.header, column.values);
    return meaning ? [{ ...column, meaning }] : [];
  });
  const money = deciding.filter(({ meaning }) => meaning === 'amount');
  const isChosen = chosen.some(({ field }) => field === 'amount');
  if (!isChosen) candidates.push(...money.map((column) => ({ ...column, field: 'amount' as const })));
  candidates.sort((one, other) => one.at - other.at);
  const byField = Map.groupBy(candidates, ({ field }) => field);
  const found = new Map(
    [...byField].flatMap(([field, some]) => (some.length === 1 ? [[field, some[0]!]] : [])),
  );
  const settings = {
    decimal: decimalOf(found.get('amount')?.values ?? []),
    date_format: dateFormatOf(found.get('occurred_at')?.values ?? []),
  };
  const named = byField.has('currency') ? undefined : currencyNamed(found.get('amount'), currency);
  const defaults: Proposal['defaults'] = named?.currency === undefined ? {} : { currency: named.currency };
  const blocking = deciding.filter(({ meaning }) => meaning !== 'amount');
  const missing = [
    ...missingOf(byField, found),
    ...(named?.open ?? []),
    ...blocking.map((column) => undecided(column, seen)),
  ];
  const isUsed = (at: number) => candidates.some((one) => one.at === at);
  const left = columns.filter(({ at, header: name }) => !isUsed(at) && name.trim() !== '');
  const unused = unusedOf(left.filter(({ at }) => !deciding.some((one) => one.at === at)));
  const openMoney = (byField.get('amount') ?? []).length > 1 ? byField.get('amount')! : [];
  return {
    mapping: mappingOf(header, found),
    defaults,
    // Whoever names the amount has seen the other columns of money.
    ignore: [...choice.ignore, ...(isChosen ? money.map((column) => nameOf(header, column)) : [])],
    ...settings,
    missing,
    unused,
    lines: proposalLines(candidates, byField, seen, {
      defaults,
      currencyFrom: named?.from,
      ...settings,
      missing,
      unused,
    }),
    looksAt: [
      ...openMoney.map(({ at, values }) => ({ at, decimal: decimalOf(values) ?? ('.' as const) })),
      ...blocking.map(({ at }) => ({ at, decimal: undefined })),
    ],
  };
}

function candidatesOf(columns: ProposedColumn[], chosen: Candidate[]): Candidate[] {
  const isChosen = (at: number) => chosen.some((one) => one.at === at);
  const candidates = [
    ...chosen,
    ...columns.flatMap((column) => {
      const field = isChosen(column.at) ? undefined : fieldNamed(column.header);
      const isOpen = field && !chosen.some((one) => one.field === field);
      return isOpen && looksLike(field, column.values) ? [{ ...column, field }] : [];
    }),
  ];
  for (const field of shaped) {
    if (candidates.some((one) => one.field === field)) continue;
    const free = columns.filter((column) => !candidates.some((one) => one.at === column.at));
    const fit = free.filter(({ values }) =>
      field === 'amount' ? hasDecimals(values) : looksLike(field, values),
    );
    candidates.push(...fit.map((column) => ({ ...column, field })));
  }
  return candidates;
}

function mappingOf(header: string[], found: Map<SaleField, Candidate>): Proposal['mapping'] {
  const inOrder = saleFields.flatMap((field) => found.get(field) ?? []);
  return Object.fromEntries(inOrder.map((column) => [column.field, nameOf(header, column)]));
}

function missingOf(byField: Map<SaleField, Candidate[]>, found: Map<SaleField, Candidate>): string[] {
  const open = [...byField].filter(([, some]) => some.length > 1);
  const hasCustomer = found.has('customer_id') || found.has('customer_email');
  const absent = needed.filter((field) => !byField.has(field) && !(field === 'affiliate' && hasCustomer));
  return [
    ...absent.map((field) => `a column for ${field}`),
    ...open.map(([field, some]) => `which of ${listed(some.map(({ header }) => `"${header}"`))} is ${field}`),
  ];
}

const says: Record<Exclude<Meaning, 'amount'>, string> = {
  status: 'which rows count',
  type: 'what kind each row is',
  quantity: 'how many were sold',
  refund: 'what was taken back',
};

function undecided(
  { header, at, meaning }: ProposedColumn & { meaning: Meaning },
  seen: ReadonlyMap<number, ColumnValues>,
): string {
  const values = seen.get(at)?.describe() ?? '';
  const shown = values === '' ? '' : ` (${values})`;
  return `"${header}"${shown} may say ${says[meaning as keyof typeof says]}: map it, or leave it out by name`;
}

function unusedOf(columns: { header: string }[]): string[] {
  if (columns.length === 0) return [];
  return [`not used: ${listed(columns.map(({ header }) => `"${header}"`))}`];
}
