import type { ProgramRow } from '../../db/tables.ts';
import { readId } from '../../ids.ts';
import type { StagedSale } from '../../ledger/stage.ts';
import { lastDayOf } from '../../money.ts';
import { localDay } from '../../time.ts';
import type { RowFault } from '../faults.ts';
import type { Rates } from '../rates.ts';
import { saysEmpty } from './cells.ts';
import { withoutInvisible } from './invisible.ts';

/**
 * Gives a sale in another currency than its programme's the rate of exchange of its day on the programme's calendar.
 * Returns a fault for a currency that was withdrawn before, and where rates.csv has no rate: an amount is never relabelled in silence.
 */
export function setExchange(
  sale: StagedSale,
  program: Pick<ProgramRow, 'currency' | 'timezone'>,
  rates: Rates,
): RowFault | undefined {
  if (sale.currency === program.currency) return undefined;
  const lastDay = lastDayOf(sale.currency!);
  const day = localDay(new Date(sale.occurredAt!), program.timezone);
  if (lastDay !== undefined && day > lastDay)
    return { code: 'currency-withdrawn', field: 'currency', found: `${sale.currency}, until ${lastDay}` };
  const rate = rates.find(sale.currency!, program.currency, day);
  if (!rate)
    return {
      code: 'rate-missing',
      field: 'currency',
      found: `${sale.currency} to ${program.currency} on ${day}`,
    };
  Object.assign(sale, { fxRate: rate.rate, fxMinorRate: rate.minorRate, fxDay: day, fxSource: rate.source });
  return undefined;
}

/**
 * The name of an affiliate as the ledger looks it up: an id in its public form becomes the plain one, and an e-mail
 * address loses the scheme of a link.
 */
export function affiliateName(text: string): string | undefined {
  if (text === '') return undefined;
  const name = unlinked(composed(text));
  const read = /^aff_/i.test(name) ? readId(name) : undefined;
  return read?.noun === 'affiliate' ? read.id : name || undefined;
}

/** The products or prices in one cell, each once and in order, so that their order is no fact of a sale. */
export function listOf(text: string): string[] | undefined {
  if (text === '') return undefined;
  return canonicalList(text.split(/[;|]/));
}

/** Reads lists, and remembers what it has read: a million rows sell a few products. */
export class Lists {
  readonly #known = new Map<string, string[] | undefined>();

  read(text: string): string[] | undefined {
    if (text === '') return undefined;
    const known = this.#known.get(text);
    if (known) return known;
    if (this.#known.size >= mostLists) this.#known.clear();
    const list = listOf(text);
    this.#known.set(text, list);
    return list;
  }
}

/** Memory must not grow with the rows, whatever stands in their cells. */
const mostLists = 1_000;

export function canonicalList(values: string[]): string[] | undefined {
  const kept = values.map((value) => value.trim()).filter((value) => value !== '' && !saysEmpty(value));
  if (kept.length <= 1) return kept.length === 0 ? undefined : kept;
  return [...new Set(kept)].sort();
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is ASCII as a whole.
const ascii = /^[\x00-\x7f]*$/;

/** Text in Unicode's composed form (NFC), without invisible characters, so that the same name is the same bytes. */
export function composed(text: string): string {
  return ascii.test(text)
    ? text
    : withoutInvisible(text).replaceAll(nonBreakingHyphen, '-').normalize('NFC').trim();
}

/** Looks like a hyphen, and is put in its place by programs that set text. */
const nonBreakingHyphen = '\u2011';

/**
 * An e-mail address without the scheme of a link, its domain in small letters, its local part as it is; empty for a text
 * that can be none, such as `unknown`, which many customers share.
 */
export function emailOf(text: string): string {
  const address = unlinked(composed(text));
  const at = address.lastIndexOf('@') + 1;
  return at <= 1 || at === address.length ? '' : address.slice(0, at) + address.slice(at).toLowerCase();
}

/** A text without the scheme of a link to an e-mail address; the look at its colon is all that other texts cost. */
export function unlinked(text: string): string {
  return text.charCodeAt(6) === 58 ? text.replace(/^mailto:\s*/i, '') : text;
}
