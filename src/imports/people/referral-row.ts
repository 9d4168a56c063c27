import { fold } from '../../ledger/stage.ts';
import type { RowFault } from '../faults.ts';
import type { Noted } from '../noted.ts';
import { dateReader, isoFault } from '../values/dates.ts';
import { isEmail } from '../values/destination.ts';
import { Horizon } from '../values/horizon.ts';
import { affiliateName, unlinked } from '../values/values.ts';
import { type Cell, destroyedField, type Values } from './people-stage.ts';

/** What names a referral for sure, in the order in which it is looked up; each is unique within an account. */
export const referralIdentifiers = ['ref', 'customer_id', 'external_user_id', 'click_id'] as const;

export const referralFields = ['affiliate', ...referralIdentifiers, 'email', 'status', 'created_at'] as const;

export type ReferralField = (typeof referralFields)[number];

/** The columns of the staging table, in the order in which a referral reader gives their values. */
export const referralColumns = [
  ['affiliate', 'text not null'],
  ['affiliate_exact', 'text not null'],
  ['ref', 'text'],
  ['customer_id', 'text'],
  ['external_user_id', 'text'],
  ['click_id', 'text'],
  ['email', 'text'],
  ['email_folded', 'text'],
  ['status', 'text'],
  ['created_at', 'timestamptz'],
] as const;

const statuses = ['lead', 'trialing', 'customer', 'active', 'canceled', 'rejected'];

/**
 * A function that turns a row's cells into the staged values, or says what is wrong. A date or time that names no
 * offset is local in `zone`, one more than a year after `now`, the clock of the import, is a fault; a time that comes twice in its night is noted in `twice`, the earlier taken.
 */
export function referralReader(
  zone: string,
  now: Date,
  twice: Noted,
): (cell: Cell<ReferralField>, line: number) => Values | RowFault {
  const readDate = dateReader('iso', zone);
  const horizon = new Horizon(now);

  return (cell, line) => {
    const affiliate = affiliateName(cell('affiliate'));
    if (affiliate === undefined) return { code: 'required', field: 'affiliate', found: '' };
    const destroyed = destroyedField(cell, ['affiliate', ...referralIdentifiers]);
    if (destroyed) return destroyed;
    const ids = referralIdentifiers.map((field) => cell(field) || undefined);
    const email = unlinked(cell('email'));
    if (email === '' && ids.every((id) => id === undefined))
      return {
        code: 'identifier-missing',
        field: 'ref',
        found: [...referralIdentifiers, 'email'].join(', '),
      };
    if (email !== '' && !isEmail(email)) return { code: 'email-format', field: 'email', found: '' };
    const status = cell('status').toLowerCase();
    if (status !== '' && !statuses.includes(status))
      return { code: 'choice', field: 'status', found: status };
    const created = moment(cell('created_at'), line);
    if (typeof created !== 'string')
      return { code: created.fault, field: 'created_at', found: cell('created_at') };
    const texts = [email, fold(email), status, created].map((text) => text || undefined);
    return [fold(affiliate), affiliate, ...ids, ...texts];
  };

  function moment(text: string, line: number): string | { fault: string } {
    if (text === '') return '';
    const read = readDate(text);
    if (typeof read === 'string') return { fault: isoFault(read) };
    if (horizon.of(read.instant) === 'far') return { fault: 'date-future' };
    if (read.twice) twice.add(line);
    return read.instant;
  }
}
