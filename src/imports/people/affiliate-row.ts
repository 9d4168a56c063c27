import type { PayoutMethod } from '../../db/tables.ts';
import { fold } from '../../ledger/stage.ts';
import { parsePercent } from '../../money.ts';
import type { RowFault } from '../faults.ts';
import { isEmail, payoutMethods, readDestination } from '../values/destination.ts';
import { unlinked } from '../values/values.ts';
import { type Cell, destroyedField, type Values } from './people-stage.ts';

export const affiliateFields = [
  'ref',
  'name',
  'email',
  'short_code',
  'status',
  'commission_override',
  'payout_method',
  'payout_destination',
] as const;

export type AffiliateField = (typeof affiliateFields)[number];

/** The columns of the staging table, in the order in which `readAffiliate` gives their values. */
export const affiliateColumns = [
  ['ref', 'text not null'],
  ['ref_folded', 'text not null'],
  ['name', 'text'],
  ['email', 'text'],
  ['email_folded', 'text'],
  ['short_code', 'text'],
  ['short_code_folded', 'text'],
  ['status', 'text'],
  ['override_ppm', 'integer'],
  ['payout_method', 'text'],
  ['payout_destination', 'text'],
] as const;

const statuses = ['pending', 'active', 'paused', 'banned'];

/**
 * Turns a row's cells into the staged values, or says what is wrong. What was found is not told for e-mail addresses
 * and payout destinations, because faults reach the report and the log.
 */
export function readAffiliate(cell: Cell<AffiliateField>): Values | RowFault {
  const ref = cell('ref');
  if (ref === '') return { code: 'required', field: 'ref', found: '' };
  const destroyed = destroyedField(cell, ['ref', 'short_code']);
  if (destroyed) return destroyed;
  const email = unlinked(cell('email'));
  if (email !== '' && !isEmail(email)) return { code: 'email-format', field: 'email', found: '' };
  const status = cell('status').toLowerCase();
  if (status !== '' && !statuses.includes(status)) return { code: 'choice', field: 'status', found: status };
  const override = cell('commission_override');
  const ppm = override === '' ? undefined : parsePercent(override.replace(/\s?%$/, ''));
  if (override !== '' && ppm === undefined)
    return { code: 'percent-format', field: 'commission_override', found: override };
  const payee = readPayee(cell);
  if ('code' in payee) return payee;
  const shortCode = cell('short_code');
  const texts = [ref, fold(ref), cell('name'), email, fold(email), shortCode, fold(shortCode), status];
  return [...texts.map((text) => text || undefined), ppm?.toString(), payee.method, payee.destination];
}

function readPayee(cell: Cell<AffiliateField>): { method?: string; destination?: string } | RowFault {
  const method = cell('payout_method').toLowerCase();
  const destination = cell('payout_destination');
  if (method === '' && destination === '') return {};
  if (method === '') return { code: 'destination', field: 'payout_method', found: 'no method is given' };
  if (!isMethod(method)) return { code: 'choice', field: 'payout_method', found: method };
  const stored = readDestination(method, destination);
  const fault = { code: 'destination', field: 'payout_destination' };
  if (destination === '') return { ...fault, found: `${method}, but no destination is given` };
  return stored === undefined ? { ...fault, found: method } : { method, destination: stored };
}

function isMethod(text: string): text is PayoutMethod {
  return (payoutMethods as readonly string[]).includes(text);
}
