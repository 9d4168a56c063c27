import { plainName } from './proposal-names.ts';
import { hasDecimals, looksLike } from './proposal-shapes.ts';

/**
 * What a column may say of its row, so that leaving it out changes what is earned: whether the row counts, which way,
 * how often, or how much else it may be.
 */
export type Meaning = 'status' | 'type' | 'quantity' | 'refund' | 'amount';

/** What the columns are called, word by word, in the form that `plainName` gives. */
const named: [Meaning, RegExp][] = [
  ['refund', /^(?:refund|chargeback|reversal|reversed|returned|cancel|storn|erstatt|rückerstatt|gutschrift)/],
  ['status', /status$|^(?:zustand|statut|estado|stato|situação)$/],
  ['type', /^(?:type|kind|art|typ|typen|tipo|soort)$|(?:ungs|gangs|satz|belegs?)(?:art|typ)$/],
  ['quantity', /^(?:quantity|qty|units|pieces|count|stück|quantité|cantidad|quantità|quantidade|aantal)$/],
  ['quantity', /(?:menge|anzahl|stückzahl)$/],
  [
    'amount',
    /^(?:amount|gross|net|fees?|tax|taxes|vat|total|subtotal|price|shipping|discount|tips?|cost|commission)$/,
  ],
  [
    'amount',
    /(?:betrag|brutto|netto|steuer|mwst|ust|gebühr|gebühren|entgelt|versand|rabatt|summe|gesamt|preis|provision)$/,
  ],
];

const outcomes =
  'paid, unpaid, refunded, partially refunded, partially_refunded, failed, pending, complete, completed, succeeded, ' +
  'canceled, cancelled, voided, declined, rejected, approved, open, disputed, chargeback, bezahlt, offen, storniert, ' +
  'erstattet, fehlgeschlagen, payé, remboursé, pagado, reembolsado, pagato, rimborsato, pago, aprovado, betaald';
const kinds =
  'sale, refund, payout, charge, fee, payment, chargeback, adjustment, dispute, order, return, transfer, verkauf, ' +
  'erstattung, auszahlung, gebühr, zahlung, vente, remboursement, venta, reembolso, vendita, rimborso, venda';
const vocabularies: [Meaning, Set<string>][] = [
  ['status', new Set(outcomes.split(', '))],
  ['type', new Set(kinds.split(', '))],
];

/** What a column with this header and these values may say, by its name, else by its values; mostly nothing. */
export function meaningOf(header: string, values: string[]): Meaning | undefined {
  const words = plainName(header.replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')).split(' ');
  const byName = named.find(([, pattern]) => words.some((word) => pattern.test(word)))?.[0];
  if (byName !== undefined && byName !== 'amount') return byName;
  const given = values.filter(Boolean).map((value) => value.toLowerCase());
  const byValues = vocabularies.find(
    ([, known]) => given.length > 0 && given.every((value) => known.has(value)),
  )?.[0];
  if (byValues) return byValues;
  const isMoney = byName === 'amount' ? looksLike('amount', values) : hasDecimals(values);
  return isMoney ? 'amount' : undefined;
}
