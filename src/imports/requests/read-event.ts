import type { ProgramRow } from '../../db/tables.ts';
import type { StagedEvent } from '../../ledger/events.ts';
import { faultMessage } from '../faults.ts';
import { eventReader } from '../logs/event-line.ts';
import { exactAmount } from '../logs/exact-amount.ts';
import { loadRates, noRates } from '../rates.ts';

/** How the events of a source's requests are read. */
export interface RequestReading {
  workspace: string;
  program: Pick<ProgramRow, 'currency' | 'timezone'>;
  timezone: string | undefined;
  idPrefix: string;
  receivedAt: Date;
}

/** What is wrong with one field of a request. */
export interface RequestFault {
  field: string;
  message: string;
}

/** How long the file of rates may take to be read, in milliseconds. */
const patience = 10_000;

/**
 * Reads the body of a request as a line of an event log is read, so that both are the same event. `amount` is the text of
 * its sale_amount, where that is a number: it is read exactly, whatever a float would make of it.
 */
export async function readEvent(
  body: Record<string, unknown>,
  amount: string | undefined,
  { workspace, ...reading }: RequestReading,
): Promise<StagedEvent | { fault: RequestFault }> {
  const isForeign = String(body.sale_amount_currency ?? '').toUpperCase() !== reading.program.currency;
  const rates =
    isForeign && amount !== undefined ? await loadRates(workspace, AbortSignal.timeout(patience)) : noRates;
  const event = eventReader({ ...reading, rates })({ n: 1, line: 1, text: '' }, { body, amount });
  const { fault, faultField: field = '', faultFound = '' } = event;
  return fault === undefined ? event : { fault: { field, message: faultMessage(fault, field, faultFound) } };
}

/** Minor units in `currency` of a number of JSON as it was written, more than zero; else what is wrong with it. */
export function readRequestAmount(
  written: string,
  currency: string,
  field: string,
): bigint | { fault: RequestFault } {
  const amount = exactAmount(written, currency);
  if (typeof amount === 'string')
    return { fault: { field, message: faultMessage(amount, field, `${written} ${currency}`) } };
  return amount > 0n ? amount : { fault: { field, message: `"${field}" must be more than 0.` } };
}
