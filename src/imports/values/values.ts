import type { ProgramRow } from '../../db/tables.ts';
import { readId } from '../../ids.ts';
import type { StagedSale } from '../../ledger/stage.ts';
import { lastDayOf } from '../../money.ts';
import { localDay } from '../../time.ts';
import type { RowFault } from '../faults.ts';
import type { Rates } from '../rates.ts';

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
  const kept = values.map((value) => value.trim()).filter(Boolean);
  if (kept.length <= 1) return kept.length === 0 ? undefined : kept;
  return [...new Set(kept)].sort();
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is ASCII as a whole.
const ascii = /^[\x00-\x7f]*$/;

const invisible = /[\u200b\u2060\ufeff]/g;

/** Text in Unicode's composed form (NFC), without marks of no width, so that the same name is the same bytes. */
export function composed(text: string): string {
  return ascii.test(text) ? text : text.replace(invisible, '').normalize('NFC').trim();
}

/** An e-mail address without the scheme of a link, its domain in small letters, its local part as it is. */
export function emailOf(text: string): string {
  const address = unlinked(composed(text));
  const at = address.lastIndexOf('@') + 1;
  return at === 0 ? address : address.slice(0, at) + address.slice(at).toLowerCase();
}

/** A text without the scheme of a link to an e-mail address; the look at its colon is all that other texts cost. */
export function unlinked(text: string): string {
  return text.charCodeAt(6) === 58 ? text.replace(/^mailto:\s*/i, '') : text;
}

/** What people and programs write into a cell to say that it is empty. */
const empties = new Set(['-', '--', 'N/A', 'n/a', '#N/A']);

/** The text of a cell, trimmed; empty also when it says so. What is written `="00123"` is the text in the quotes. */
export function textOf(cell: string): string {
  let text = cell.trim();
  if (text.charCodeAt(0) === 61) text = /^="(.*)"$/s.exec(text)?.[1]?.trim() ?? text;
  return text.length <= 4 && empties.has(text) ? '' : text;
}

/** A text that is no number, without the apostrophe by which a spreadsheet is told so. */
export function unquoted(text: string): string {
  return text.startsWith("'") ? text.slice(1).trimStart() : text;
}
