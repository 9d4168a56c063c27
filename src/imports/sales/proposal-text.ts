import type { SaleField } from '../../config-source.ts';
import type { ColumnValues } from './column-values.ts';
import type { Candidate } from './proposal-columns.ts';

interface Rest {
  defaults: Partial<Record<SaleField, string>>;
  /** What says that this is the currency, in words. */
  currencyFrom: string | undefined;
  decimal: '.' | ',' | undefined;
  date_format: string | undefined;
  missing: string[];
  unused: string[];
}

/** A proposal as lines for a person: a table of its columns, then what is settled, not used and still open. */
export function proposalLines(
  candidates: Candidate[],
  byField: Map<SaleField, Candidate[]>,
  seen: ReadonlyMap<number, ColumnValues>,
  rest: Rest,
): string[] {
  return [...tableOf(candidates, byField, seen), ...restOf(rest)];
}

function tableOf(
  candidates: Candidate[],
  byField: Map<SaleField, Candidate[]>,
  seen: ReadonlyMap<number, ColumnValues>,
): string[] {
  const rows = candidates.map(({ header, at, field, values }) => {
    const first = values.find(Boolean) ?? '';
    const isOpen = byField.get(field)!.length > 1;
    const inFile = isOpen ? (seen.get(at)?.describe() ?? '') : '';
    return [header, isOpen ? `${field}?` : field, shown(field, first), inFile];
  });
  const titles = ['column', 'field', 'first value', rows.some((row) => row[3] !== '') ? 'in the file' : ''];
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

function restOf({
  defaults,
  currencyFrom,
  decimal,
  date_format: dateFormat,
  missing,
  unused,
}: Rest): string[] {
  const settings = [
    decimal && `decimal "${decimal}"`,
    dateFormat && `date_format "${dateFormat}"`,
    defaults.currency && `currency ${defaults.currency}, ${currencyFrom}`,
  ].filter(Boolean);
  return [
    ...(settings.length > 0 ? [`with ${settings.join('; ')}`] : []),
    ...unused,
    ...missing.map((one) => `still open: ${one}`),
  ];
}
