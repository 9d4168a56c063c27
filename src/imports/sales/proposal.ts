import { type SaleField, saleFields } from '../../config-source.ts';
import { fieldNamed } from './proposal-names.ts';
import { dateFormatOf, decimalOf, hasDecimals, looksLike } from './proposal-shapes.ts';

/** How an unknown file may be meant. Nothing reads a file by it before a person has accepted it. */
export interface Proposal {
  /** Field to header, or to a position where the header stands twice. */
  mapping: Partial<Record<SaleField, string>>;
  defaults: Partial<Record<SaleField, string>>;
  /** As the first rows prove; else the whole file has to. */
  decimal: '.' | ',' | undefined;
  date_format: string | undefined;
  /** What a source needs besides, in words; empty when the proposal is complete. */
  missing: string[];
  /** A sentence about the columns that no field takes, or none. */
  unused: string[];
  /** The same as lines for a person: header, field and first value, then what is open. It may show values of the file. */
  lines: string[];
}

interface Candidate {
  header: string;
  at: number;
  field: SaleField;
  values: string[];
}

/** Fields that the shape of their values gives away where no header does. */
const shaped = ['occurred_at', 'currency', 'amount'] as const;
const needed = ['external_id', 'affiliate', 'amount', 'occurred_at'] as const;

/**
 * Proposes what the columns of a header mean, by their names and by the `rows` that come first. Where two columns may
 * be one field it is left open. Without a column for it, the currency is `currency`, that of the programme.
 */
export function propose(header: string[], rows: string[][], currency: string): Proposal {
  const columns = header.map((name, at) => ({
    header: name,
    at,
    values: rows.map((cells) => (cells[at] ?? '').trim()),
  }));
  const candidates: Candidate[] = columns.flatMap((column) => {
    const field = fieldNamed(column.header);
    return field && looksLike(field, column.values) ? [{ ...column, field }] : [];
  });
  for (const field of shaped) {
    if (candidates.some((one) => one.field === field)) continue;
    const free = columns.filter((column) => !candidates.some((one) => one.at === column.at));
    const fit = free.filter(({ values }) =>
      field === 'amount' ? hasDecimals(values) : looksLike(field, values),
    );
    candidates.push(...fit.map((column) => ({ ...column, field })));
  }
  const byField = Map.groupBy(candidates, ({ field }) => field);
  const found = new Map(
    [...byField].flatMap(([field, some]) => (some.length === 1 ? [[field, some[0]!]] : [])),
  );
  const settings = {
    decimal: decimalOf(found.get('amount')?.values ?? []),
    date_format: dateFormatOf(found.get('occurred_at')?.values ?? []),
  };
  const defaults: Proposal['defaults'] = byField.has('currency') ? {} : { currency };
  const missing = missingOf(byField, found);
  const taken = new Set(candidates.map(({ at }) => at));
  const unused = unusedOf(columns.filter(({ at, header: name }) => !taken.has(at) && name.trim() !== ''));
  return {
    mapping: mappingOf(header, found),
    defaults,
    ...settings,
    missing,
    unused,
    lines: [...tableOf(candidates, byField), ...restOf({ defaults, ...settings, missing, unused })],
  };
}

function mappingOf(header: string[], found: Map<SaleField, Candidate>): Proposal['mapping'] {
  const inOrder = saleFields.flatMap((field) => found.get(field) ?? []);
  return Object.fromEntries(
    inOrder.map(({ field, header: name, at }) => {
      const isAlone = header.filter((one) => one.toLowerCase() === name.toLowerCase()).length === 1;
      return [field, isAlone ? name : `#${at + 1}`];
    }),
  );
}

function missingOf(byField: Map<SaleField, Candidate[]>, found: Map<SaleField, Candidate>): string[] {
  const open = [...byField].filter(([, some]) => some.length > 1);
  const hasCustomer = found.has('customer_id') || found.has('customer_email');
  const absent = needed.filter((field) => !byField.has(field) && !(field === 'affiliate' && hasCustomer));
  return [
    ...absent.map((field) => `a column for ${field}`),
    ...open.map(
      ([field, some]) => `which of ${some.map(({ header }) => `"${header}"`).join(', ')} is ${field}`,
    ),
  ];
}

function unusedOf(columns: { header: string }[]): string[] {
  if (columns.length === 0) return [];
  const names = columns.slice(0, 20).map(({ header }) => `"${header}"`);
  const more = columns.length > names.length ? ` and ${columns.length - names.length} more` : '';
  return [`not used: ${names.join(', ')}${more}`];
}

function tableOf(candidates: Candidate[], byField: Map<SaleField, Candidate[]>): string[] {
  const rows = candidates
    .sort((a, b) => a.at - b.at)
    .map(({ header, field, values }) => {
      const first = values.find(Boolean) ?? '';
      const isOpen = byField.get(field)!.length > 1;
      return [header, isOpen ? `${field}?` : field, shown(field, first)];
    });
  const titles = ['column', 'field', 'first value'];
  const widths = titles.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]!.length)));
  return [titles, ...rows].map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at]!))
      .join('  ')
      .trimEnd(),
  );
}

/** A value as it may be shown: short, on one line, and no e-mail address. */
function shown(field: SaleField, value: string): string {
  if (field === 'customer_email' || value.includes('@')) return '(not shown)';
  const line = value.replace(/\s+/g, ' ');
  return line.length > 30 ? `${line.slice(0, 30)}…` : line;
}

function restOf(proposal: Omit<Proposal, 'mapping' | 'lines'>): string[] {
  const { defaults, decimal, date_format: dateFormat, missing, unused } = proposal;
  const settings = [
    decimal && `decimal "${decimal}"`,
    dateFormat && `date_format "${dateFormat}"`,
    defaults.currency && `currency ${defaults.currency}, the programme's`,
  ].filter(Boolean);
  return [
    ...(settings.length > 0 ? [`with ${settings.join('; ')}`] : []),
    ...unused,
    ...missing.map((one) => `still open: ${one}`),
  ];
}
