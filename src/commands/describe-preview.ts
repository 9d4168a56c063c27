import type { ImportReport } from '../imports/import.ts';
import { showCount } from '../money.ts';
import { visibleInLine } from '../visible.ts';
import { type Paint, pairs, paragraphs, section, showDecimal, table, words } from './render.ts';

type Preview = NonNullable<ImportReport['preview']>;

const encodingNames: Record<string, string> = {
  'utf-8': 'UTF-8',
  'utf-16le': 'UTF-16, little endian',
  'utf-16be': 'UTF-16, big endian',
  'windows-1252': 'Windows-1252',
  macroman: 'MacRoman',
};
const encodingReasons: Record<Preview['encoding']['by'], string> = {
  mark: 'as the mark at its start says',
  bytes: 'as its bytes show',
  setting: 'as the source says',
  guess: 'since its bytes are no UTF-8',
};
const delimiterNames: Record<string, string> = { ',': 'comma', ';': 'semicolon', '\t': 'tab', '|': 'bar' };

/** How a file was read and what it would do for whom, before it is imported; nothing where there is no preview. */
export function describePreview(paint: Paint, preview: Preview | null): string {
  if (preview === null) return '';
  return paragraphs(
    section(paint, 'How it was read', (inner) => describeReading(inner, preview)),
    describeRows(paint, preview),
    describeUnused(paint, preview.not_used),
    describeTypes(paint, preview.event_types),
    describeAffiliates(paint, preview),
  );
}

function describeReading(paint: Paint, { encoding, delimiter, header_line, styles }: Preview): string {
  const name = `${encodingNames[encoding.encoding]}, ${encodingReasons[encoding.by]}`;
  const isWorkbook = delimiter === null && header_line !== null;
  return pairs(paint, [
    ['encoding', isWorkbook ? undefined : name],
    ['delimiter', delimiter === null ? undefined : (delimiterNames[delimiter] ?? delimiter)],
    ['header', header_line === null ? undefined : `line ${showCount(header_line)}`],
    ...styles.map(({ field, style, line, file, value }): [string, string] => [
      words(field),
      `${style}, as line ${showCount(line)}${file === undefined ? '' : ` of ${file}`} shows: ${value}`,
    ]),
  ]);
}

const longestCell = 36;

function describeRows(paint: Paint, { rows, header_line }: Preview): string {
  if (rows.length === 0) return '';
  const isLog = header_line === null;
  const columns = [
    { title: isLog ? 'key' : 'column' },
    { title: 'as written' },
    { title: 'field' },
    { title: 'as understood' },
  ];
  const shown = (inner: Paint) =>
    rows.map(({ line, cells, fault }) => {
      const lines = cells.map((cell) => [
        clipped(cell.column),
        clipped(cell.raw),
        words(cell.field),
        clipped(cell.understood),
      ]);
      const found = fault === null ? [] : [paint.bad(visibleInLine(fault.message))];
      return [paint.bold(`line ${showCount(line)}`), table(inner, columns, lines), ...found].join('\n');
    });
  return section(paint, isLog ? 'The first events' : 'The first rows', (inner) =>
    paragraphs(...shown(inner)),
  );
}

function describeUnused(paint: Paint, columns: Preview['not_used']): string {
  if (columns.length === 0) return '';
  const rows = columns.map(({ column, looks_like, summary }) => [clipped(column), looks_like, summary]);
  const titles = [{ title: 'column' }, { title: 'looks like' }, { title: 'in the file' }];
  return section(paint, 'Not used, though it may decide what a row means', (inner) =>
    table(inner, titles, rows),
  );
}

function describeTypes(paint: Paint, types: Preview['event_types']): string {
  if (types.length === 0) return '';
  const rows = types.map(({ type, lines, read }) => [
    clipped(type),
    showCount(lines),
    read ? '' : 'not read',
  ]);
  const columns = [{ title: 'type' }, { title: 'lines', align: 'right' as const }, { title: '' }];
  return section(paint, 'Events of each type', (inner) => table(inner, columns, rows));
}

function clipped(text: string): string {
  const flat = text.replaceAll(/\s+/g, ' ');
  return flat.length > longestCell ? `${flat.slice(0, longestCell - 1)}…` : flat;
}

function describeAffiliates(paint: Paint, { affiliates }: Preview): string {
  if (affiliates.length === 0) return '';
  const rows = affiliates.map((one) => [
    one.affiliate,
    showCount(one.rows),
    showDecimal(one.sales, one.currency),
    showDecimal(one.commissions, one.commission_currency),
  ]);
  const columns = [
    { title: 'affiliate' },
    { title: 'sales', align: 'right' as const },
    { title: 'amount', align: 'right' as const },
    { title: 'commissions', align: 'right' as const },
  ];
  const heading = affiliates.length < 10 ? 'Who would earn' : 'Who would earn most (the first ten)';
  return section(paint, heading, (inner) => table(inner, columns, rows));
}
