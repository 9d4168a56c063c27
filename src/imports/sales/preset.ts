import type { SaleField } from '../../config-source.ts';
import { listed, PayrunError } from '../../errors.ts';
import type { PresetName } from '../../preset-names.ts';
import { type Columns, findColumns, fold } from '../columns.ts';
import { gumroadSales } from '../presets/gumroad-sales.ts';
import { paypalActivityEnglish } from '../presets/paypal-activity-english.ts';
import { paypalActivityGerman } from '../presets/paypal-activity-german.ts';
import type { Column, Names, Preset } from '../presets/shape.ts';
import { shopifyOrders } from '../presets/shopify-orders.ts';
import { stripeBalanceHistory } from '../presets/stripe-balance-history.ts';
import { stripePayments } from '../presets/stripe-payments.ts';
import { stripePaymentsClassic } from '../presets/stripe-payments-classic.ts';
import { woocommerceOrders } from '../presets/woocommerce-orders.ts';
import type { Source } from '../source.ts';
import { textOf } from '../values/cells.ts';

export type { Preset };

const presets = [
  stripePayments,
  stripePaymentsClassic,
  stripeBalanceHistory,
  paypalActivityEnglish,
  paypalActivityGerman,
  shopifyOrders,
  gumroadSales,
  woocommerceOrders,
];

/** The preset that a source names. */
export function presetNamed(name: PresetName): Preset {
  const found = presets.find((one) => one.name === name);
  if (!found) throw new Error(`no preset ${name}`);
  return found;
}

/**
 * The preset whose columns the header has; undefined when it has those of none. Raises `file-refused` when it has
 * those of several, naming them: a person has to say which it is.
 */
export function presetFor(header: string[], place: { file: string; line: number }): Preset | undefined {
  const fit = presets.filter((one) => one.headers.every((names) => indexOf(names, header) >= 0));
  if (fit.length <= 1) return fit[0];
  const names = listed(
    fit.map(({ name, title }) => `${title} ("${name}")`),
    ' and ',
  );
  throw new PayrunError('file-refused', `The header fits ${names}.`, {
    place,
    todo: `Describe a source with "preset": "${fit[0]!.name}" or another of them in payrun.json, run "payrun apply" and import with --source.`,
  });
}

/** `source` with what `preset` says where it says nothing itself. */
export function overPreset(source: Source, preset: Preset): Source {
  const { settings } = source;
  const isMade = (field: SaleField) =>
    preset.makes.includes(field) && settings.mapping?.[field] === undefined;
  return {
    ...source,
    settings: {
      ...settings,
      timezone: settings.timezone ?? preset.timezone,
      defaults: { ...preset.defaults, ...settings.defaults },
      id_prefix: settings.id_prefix || (preset.idPrefix ?? ''),
      decimal: isMade('amount') ? '.' : (settings.decimal ?? '.'),
      date_format: isMade('occurred_at') ? 'iso' : (settings.date_format ?? 'iso'),
      unattributed: settings.unattributed ?? 'ignore',
    },
  };
}

/**
 * Where the fields of a file of `preset` are: in the columns that the source maps, else in the cells that the preset's
 * reader adds behind those of the header, else where the preset maps them. Raises `file-refused` for a missing column.
 */
export function presetColumns(
  preset: Preset,
  { settings }: Source,
  header: string[],
  place: { file: string; line: number },
): Columns<SaleField> {
  for (const names of preset.headers) {
    if (indexOf(names, header) < 0) throw lacks(preset, names, header, place);
  }
  const mapping: Partial<Record<SaleField, string>> = {};
  for (const [field, names] of Object.entries(preset.mapping) as [SaleField, Names][]) {
    const at = indexOf(names, header);
    if (at >= 0) mapping[field] = preset.takesFirst ? `#${at + 1}` : header[at]!;
  }
  const made = preset.makes.filter((field) => settings.mapping?.[field] === undefined);
  for (const field of made) delete mapping[field];
  Object.assign(mapping, settings.mapping);
  const fields = Object.keys(mapping) as SaleField[];
  const columns = findColumns(header, { fields, required: [], mapping }, place);
  for (const field of made) columns.set(field, header.length + preset.makes.indexOf(field));
  return columns;
}

/** The reader's way to the columns of a header. */
export function columnIn(header: string[], onFound: (at: number) => void): (...names: string[]) => Column {
  return (...names) => {
    const at = indexOf(names, header);
    if (at < 0) return () => '';
    onFound(at);
    return (cells) => textOf(cells[at] ?? '');
  };
}

function indexOf(names: Names, header: string[]): number {
  const wanted = (typeof names === 'string' ? [names] : names).map(fold);
  return header.findIndex((name) => wanted.includes(fold(name)));
}

function lacks(preset: Preset, names: Names, header: string[], place: { file: string; line: number }) {
  const wanted = typeof names === 'string' ? names : names[0];
  return new PayrunError(
    'file-refused',
    `The file has no column "${wanted}", as an export of ${preset.title} has.`,
    {
      place,
      found: listed(header),
      todo: 'Export it again with that column, or import it without naming the preset.',
    },
  );
}
