import type { ProgramRow } from '../../db/tables.ts';
import type { StagedSale } from '../../ledger/stage.ts';
import { isOrWasCurrency } from '../../money.ts';
import { faultMessage } from '../faults.ts';
import { exactAmount } from '../logs/exact-amount.ts';
import { loadRates, noRates, type Rates } from '../rates.ts';
import { dateReader, isoFault } from '../values/dates.ts';
import { Horizon } from '../values/horizon.ts';
import { emailOf, setExchange } from '../values/values.ts';
import { readExternalId } from './external-id.ts';
import { type MappedFields, mapFields } from './map-fields.ts';
import type { RequestFault } from './read-event.ts';

/** What a client says of an entry; amounts are texts as they were written. */
export interface StatedEntry {
  eventValue?: string | undefined;
  currency?: string | undefined;
  expense?: string | undefined;
  occurredAt?: string | undefined;
  /** The source's own keys, and the texts of those that are numbers. */
  data?: Record<string, unknown> | undefined;
  numbers?: ReadonlyMap<string, string> | undefined;
}

/** How the entries of a source are read. */
export interface EntryReading {
  workspace: string;
  program: Pick<ProgramRow, 'currency' | 'timezone'>;
  timezone: string | undefined;
  currency: string | undefined;
  idPrefix: string;
  mappings: Record<string, string>;
  receivedAt: Date;
}

/** What is known of an entry: its sale, without who bought it, and what it tells of its contact. */
export interface ReadEntry {
  /** With the source's prefix; undefined where the entry has none. */
  externalId: string | undefined;
  /** Minor units; undefined where the entry says nothing of its value. */
  amount: bigint | undefined;
  currency: string;
  expense: bigint | undefined;
  occurredAt: string;
  occurredAtGiven: boolean;
  exchange: Pick<StagedSale, 'fxRate' | 'fxMinorRate' | 'fxDay' | 'fxSource'>;
  customerId: string | undefined;
  contact: MappedFields['contact'];
  customFields: MappedFields['customFields'];
}

/** How long the file of rates may take to be read, in milliseconds. */
const patience = 10_000;

/**
 * Reads an entry: what the mapping of its source yields counts, and what is stated directly where that yields nothing.
 * The currency is else that of the source, or US dollars, as their interface has it. Returns what is wrong with a field.
 */
export async function readEntry(
  stated: StatedEntry,
  reading: EntryReading,
): Promise<ReadEntry | { fault: RequestFault }> {
  const mapped = mapFields(stated.data ?? {}, stated.numbers ?? new Map(), reading.mappings);
  if ('fault' in mapped) return mapped;
  const { entry, contact, customFields } = mapped;
  const said = (field: 'eventValue' | 'currency' | 'expense' | 'occurredAt') => entry[field] ?? stated[field];
  const fault = (code: string, field: string, found: string) => ({
    fault: { field, message: faultMessage(code, field, found) },
  });

  const currency = (said('currency') ?? reading.currency ?? 'USD').trim().toUpperCase();
  if (!isOrWasCurrency(currency)) return fault('currency-unknown', 'currency', currency);
  const amounts: Partial<Record<'eventValue' | 'expense', bigint>> = {};
  for (const field of ['eventValue', 'expense'] as const) {
    const text = said(field)?.trim();
    if (text === undefined) continue;
    const amount = exactAmount(text, currency);
    if (typeof amount === 'string') return fault(amount, field, `${text} ${currency}`);
    if (amount < 0n) return { fault: { field, message: `"${field}" must not be less than 0.` } };
    amounts[field] = amount;
  }
  const moment = said('occurredAt')?.trim();
  const read =
    moment === undefined
      ? { instant: reading.receivedAt.toISOString() }
      : dateReader('iso', reading.timezone ?? reading.program.timezone)(moment);
  if (typeof read === 'string') return fault(isoFault(read), 'occurredAt', moment!);
  if (new Horizon(reading.receivedAt).of(read.instant) === 'far')
    return fault('date-future', 'occurredAt', moment!);

  const id = entry.externalId === undefined ? undefined : readExternalId(entry.externalId);
  if ((id?.length ?? 0) > 255) return fault('too-long', 'externalId', '');
  const email = contact.email === undefined ? undefined : emailOf(contact.email);
  if (email === '') return { fault: { field: 'email', message: '"email" is no e-mail address.' } };

  const sale: StagedSale = { n: 1, line: 1, currency, occurredAt: read.instant };
  const isForeign = amounts.eventValue !== undefined && currency !== reading.program.currency;
  const rates = isForeign ? await loadRates(reading.workspace, AbortSignal.timeout(patience)) : noRates;
  const exchange = isForeign ? exchangeOf(sale, reading.program, rates) : {};
  if (typeof exchange === 'string') return { fault: { field: 'currency', message: exchange } };
  return {
    externalId: id === undefined ? undefined : reading.idPrefix + id,
    amount: amounts.eventValue,
    currency,
    expense: amounts.expense,
    occurredAt: read.instant,
    occurredAtGiven: moment !== undefined,
    exchange,
    customerId: entry.customerId?.trim() || undefined,
    contact: { ...contact, ...(email !== undefined && { email }) },
    customFields,
  };
}

/** The rate by which a sale is converted; where there is none, a sentence that says so. */
export function exchangeOf(
  sale: StagedSale,
  program: Pick<ProgramRow, 'currency' | 'timezone'>,
  rates: Rates,
): ReadEntry['exchange'] | string {
  const exchanged = { ...sale };
  const fault = setExchange(exchanged, program, rates);
  if (fault) return faultMessage(fault.code, fault.field, fault.found);
  const { fxRate, fxMinorRate, fxDay, fxSource } = exchanged;
  return { fxRate, fxMinorRate, fxDay, fxSource };
}
