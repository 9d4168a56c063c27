import { type SaleField, saleFields } from '../../config-source.ts';
import { markerIn } from '../values/currency-signs.ts';

/** What people call the fields of a sale, in English and German, in the form that `plainName` gives. */
const names: Partial<Record<SaleField, string>> = {
  external_id:
    'external id, id, order, order id, order number, invoice, invoice id, invoice number, transaction, transaction id, ' +
    'payment id, sale id, reference, receipt number, rechnung, rechnung number, rechnungsnummer, bestellung, bestellnummer, ' +
    'rechnungs number, bestell number, auftragsnummer, beleg, belegnummer, transaktionsnummer, transaktionscode, vorgangsnummer',
  affiliate:
    'affiliate, affiliate id, affiliate code, affiliate email, partner, partner id, partner code, partner number, referrer, ' +
    'referred by, coupon, coupon code, discount code, promo code, partnernummer, vermittler, werber, empfehler, ' +
    'gutschein, gutscheincode, rabattcode',
  amount:
    'amount, net amount, net, total, net total, subtotal, price, revenue, net revenue, sale amount, order amount, sum, value, ' +
    'betrag, nettobetrag, netto, summe, gesamt, umsatz, nettoumsatz, preis',
  currency: 'currency, currency code, währung, waehrung',
  occurred_at:
    'occurred at, date, time, timestamp, sale date, order date, payment date, invoice date, purchase date, paid on, paid at, ' +
    'created, created at, datum, bestelldatum, rechnungsdatum, zahlungsdatum, kaufdatum, verkaufsdatum, bezahlt am, ' +
    'buchungstag',
  refund_of:
    'refund of, refund for, refunded order, refunded invoice, original order, original order id, original invoice, ' +
    'original transaction, storno zu, storno von, gutschrift zu, erstattung zu, rückerstattung zu, rückerstattung von',
  refunded_total: 'refunded total, total refunded, amount refunded, refunded amount, erstatteter betrag',
  customer_id:
    'customer id, customer number, client id, user id, kundennummer, kunden number, kunden id, kunde id',
  customer_email:
    'email, e mail, email address, e mail address, customer email, customer e mail, buyer email, client email, mail, ' +
    'e mail adresse, kunden e mail, kunden email',
  product_ids:
    'product, product id, product ids, products, sku, skus, item, plan, artikel, artikelnummer, produkt, produkte',
  sales_status: 'status, order status, payment status, zahlungsstatus',
  interval: 'interval, billing interval, billing period, abrechnungszeitraum',
  is_subscription: 'is subscription, subscription, recurring, abo, abonnement',
  note: 'note, notes, comment, description, notiz, bemerkung, kommentar, beschreibung, verwendungszweck',
};

const fieldOf = new Map([
  ...Object.entries(names).flatMap(([field, list]) =>
    list.split(', ').map((name) => [name, field as SaleField] as const),
  ),
  ...saleFields.map((field) => [field.replaceAll('_', ' '), field] as const),
]);

/** The field that a header most likely names, if any, whatever currency it names beside it. */
export function fieldNamed(header: string): SaleField | undefined {
  const marker = markerIn(header);
  return fieldOf.get(plainName(header)) ?? fieldOf.get(plainName(header.replace(marker, ' ')));
}

/** Lower case, one space between words, and one word for the many that mean number: `Invoice-No.` is `invoice number`. */
export function plainName(header: string): string {
  return header
    .normalize('NFC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}#]+/gu, ' ')
    .trim()
    .replace(/ ?#$| (?:no|nr|num|nummer)$/, ' number')
    .replace(/(?<=\p{L})nr$/u, 'nummer');
}
