import { type SaleField, saleFields } from '../../config-source.ts';
import { listed } from '../../errors.ts';
import { type Columns, columnNamed, findColumns, fold } from '../columns.ts';
import type { CsvFile, TableReading } from '../files/records.ts';
import type { Source } from '../source.ts';
import { currencyOf, markerIn } from '../values/currency-signs.ts';
import { overPreset, type Preset, presetColumns, presetFor, presetNamed } from './preset.ts';
import { requiredSaleFields } from './sale-row.ts';

/** How the columns of a file were found. */
export interface Fit {
  /** With what the preset adds to it. */
  source: Source;
  columns: Columns<SaleField>;
  preset: Preset | undefined;
  /** The date format that payrun.json states for a preset. */
  dateFormat: string | undefined;
  /** One sentence for people. */
  why: string;
}

/** How a file that one of `sources` reads is taken apart: as the first of them says, under a header that fits any. */
export function tableReading(sources: Source[], shown: string): TableReading {
  const { delimiter, quotes, trim, header_row: headerLine, allow_partial: isPartial } = sources[0]!.settings;
  const layout = (names: string[]) => {
    try {
      return fitting(sources, { header: names, headerLine: 1 }, shown)[0].columns;
    } catch {
      return undefined;
    }
  };
  return { delimiter, quotes, trim, headerLine, isPartial, layout };
}

/**
 * How each of `sources` whose columns the file has would read it; after Payrun's own columns come the known exports.
 * Raises `file-refused` for what the first of all lacks where none fits, and for a header that several exports have.
 */
export function fitting(
  sources: Source[],
  { header, headerLine }: Pick<CsvFile, 'header' | 'headerLine'>,
  shown: string,
): [Fit, ...Fit[]] {
  const place = { file: shown, line: headerLine };
  const fits: Fit[] = [];
  let first: unknown;
  for (const source of sources) {
    try {
      fits.push(bySource(source, header, place));
    } catch (cause) {
      first ??= cause;
    }
  }
  if (fits.length > 0) return fits as [Fit, ...Fit[]];
  const canonical = sources.find((one) => one.ref === undefined);
  const preset = canonical && presetFor(header, place);
  if (!canonical || !preset) throw first;
  const known = listed(preset.headers.map((names) => `"${typeof names === 'string' ? names : names[0]}"`));
  return [{ ...onPreset(canonical, preset, header, place), why: `the header has ${known}` }];
}

/** What each of `sources` that payrun.json has lacks of a file with this header, a sentence each. */
export function lackingOf(
  sources: Source[],
  { header, headerLine }: Pick<CsvFile, 'header' | 'headerLine'>,
  shown: string,
): string[] {
  return sources.flatMap((source) => {
    if (source.ref === undefined) return [];
    try {
      bySource(source, header, { file: shown, line: headerLine });
      return [];
    } catch (cause) {
      return [`source "${source.ref}": ${(cause as Error).message}`];
    }
  });
}

type Place = { file: string; line: number };

function bySource(source: Source, header: string[], place: Place): Fit {
  const { ref, settings } = source;
  if (settings.preset !== undefined)
    return {
      ...onPreset(source, presetNamed(settings.preset), header, place),
      why: `the source "${ref}" names it`,
    };
  const isLeftOut = (field: SaleField) =>
    settings.mapping?.[field] === undefined && settings.ignore?.some((name) => fold(name) === field);
  const defaults = { ...currencyIn(header, source), ...settings.defaults };
  const layout = {
    fields: saleFields.filter((field) => !isLeftOut(field)),
    required: requiredSaleFields,
    mapping: settings.mapping,
    defaults: { affiliate: '', ...defaults },
  };
  const columns = findColumns(header, layout, place);
  return {
    source: { ...source, settings: { ...settings, defaults } },
    columns,
    preset: undefined,
    dateFormat: undefined,
    why: ref === undefined ? 'the header has Payrun’s own columns' : 'the header has its columns',
  };
}

/** The currency of the amounts, where the header of their column names it. */
function currencyIn(header: string[], { settings, currency }: Source): { currency?: string } {
  const at = columnNamed(settings.mapping?.amount ?? 'amount', header);
  const found = at === undefined ? undefined : currencyOf(markerIn(header[at]!), currency);
  return found === undefined ? {} : { currency: found };
}

function onPreset(source: Source, preset: Preset, header: string[], place: Place): Omit<Fit, 'why'> {
  return {
    source: overPreset(source, preset),
    columns: presetColumns(preset, source, header, place),
    preset,
    dateFormat: source.settings.date_format,
  };
}
