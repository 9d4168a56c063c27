import { PayrunError } from '../../errors.ts';
import { fold, type Mapping } from '../columns.ts';
import type { CsvFile } from '../files/records.ts';
import { hidden } from '../hidden.ts';
import { plainName } from '../sales/proposal-names.ts';
import type { AffiliateField } from './affiliate-row.ts';
import type { ReferralField } from './referral-row.ts';

export type PeopleKind = 'affiliates' | 'referrals';

/** What people call the columns of files of people, in English and German, in the form that `plainName` gives. */
const names: { affiliates: Record<AffiliateField, string>; referrals: Record<ReferralField, string> } = {
  affiliates: {
    ref: 'ref, id, code, affiliate, affiliate id, affiliate code, partner, partner id, partner code, partner number, partnernummer, kürzel',
    name: 'name, full name, affiliate name, partner name, company, firma, partnername',
    email:
      'email, e mail, email address, e mail address, mail, e mail adresse, affiliate email, partner email',
    short_code: 'short code, coupon, coupon code, promo code, tracking id, gutschein, gutscheincode',
    status: 'status, affiliate status, partner status',
    commission_override:
      'commission override, commission, commission rate, rate, percent, provision, provisionssatz',
    payout_method: 'payout method, method, payment method, auszahlungsart, zahlungsart',
    payout_destination:
      'payout destination, destination, payout account, account, payout email, iban, auszahlungskonto, konto',
  },
  referrals: {
    affiliate:
      'affiliate, affiliate id, affiliate code, partner, partner id, partner code, referrer, partnernummer',
    ref: 'ref, id, referral, referral id',
    customer_id: 'customer id, customer number, customer, client id, kundennummer, kunden number, kunden id',
    external_user_id: 'external user id, user id, user',
    click_id: 'click id, click',
    email:
      'email, e mail, email address, e mail address, mail, e mail adresse, customer email, kunden e mail',
    status: 'status, referral status',
    created_at: 'created at, created, date, signup date, signed up at, datum, angelegt am',
  },
};

const rowsLookedAt = 20;

interface Named {
  field: string;
  header: string;
}

/** The columns that a file of people may mean by other names than those of the fields, each field once. */
export function namedOtherwise(kind: PeopleKind, header: string[], mapping: Mapping): Named[] {
  const taken = new Set(Object.values(mapping).map((name) => fold(name ?? '')));
  const known: Record<string, string> = names[kind];
  return Object.entries(known).flatMap(([field, list]) => {
    if (mapping[field] !== undefined || header.some((name) => fold(name) === field)) return [];
    const fit = header.filter(
      (name) =>
        !taken.has(fold(name)) && !(fold(name) in known) && list.split(', ').includes(plainName(name)),
    );
    return fit.length === 1 ? [{ field, header: fit[0]! }] : [];
  });
}

/** The flags that say so: `--map email="E-Mail"`. */
export function mapFlags(named: Named[]): string {
  return named.map(({ field, header }) => `--map ${field}="${header}"`).join(' ');
}

/**
 * `fault` of a file of people whose columns are not found, with a proposal what its columns may mean and the command that
 * accepts it; as it is where no column looks like another field.
 */
export async function withProposal(
  fault: PayrunError,
  kind: PeopleKind,
  csv: CsvFile,
  mapping: Mapping,
): Promise<PayrunError> {
  const named = namedOtherwise(kind, csv.header, mapping);
  const fields = Object.keys(names[kind]).join(', ');
  const columns = `The columns of such a file are ${fields}.`;
  if (named.length === 0)
    return new PayrunError(fault.code, fault.message, {
      ...(fault.place && { place: fault.place }),
      ...(fault.found !== undefined && { found: fault.found }),
      aside: [columns],
      todo: 'Name the columns so in the file, or say which is which with --map <field>="<column>".',
    });
  let rows: string[][] = [];
  for await (const group of csv.groups) {
    rows = group.slice(0, rowsLookedAt).map(({ cells }) => cells);
    break;
  }
  const first = (header: string) => {
    const at = csv.header.indexOf(header);
    return hidden(rows.map((cells) => (cells[at] ?? '').trim()).find(Boolean) ?? '').slice(0, 30);
  };
  const widest = Math.max(...named.map(({ header }) => header.length), 'column'.length);
  const widestField = Math.max(...named.map(({ field }) => field.length), 'field'.length);
  const line = (column: string, field: string, value: string) =>
    `${column.padEnd(widest)}  ${field.padEnd(widestField)}  ${value}`.trimEnd();
  return new PayrunError(fault.code, fault.message, {
    ...(fault.place && { place: fault.place }),
    ...(fault.found !== undefined && { found: fault.found }),
    aside: [
      columns,
      line('column', 'field', 'first value'),
      ...named.map(({ field, header }) =>
        line(header, field, isPrivate(field) ? '(not shown)' : first(header)),
      ),
    ],
    todo: `If that is what the columns mean, import it with ${mapFlags(named)}; else name the columns in the file.`,
  });
}

function isPrivate(field: string): boolean {
  return field === 'email' || field === 'payout_destination';
}
