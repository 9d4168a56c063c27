import { paypalActivity } from './paypal-activity.ts';

/** PayPal's activity report in German: `31.12.2026`, `-1.234,56`, Soll, Haben and Memo. */
export const paypalActivityGerman = paypalActivity('paypal_activity_german', 'PayPal activity (German)', {
  columns: {
    date: ['Datum'],
    time: ['Uhrzeit'],
    zone: ['Zeitzone'],
    type: ['Typ'],
    status: ['Status'],
    currency: ['Währung'],
    gross: ['Brutto'],
    id: ['Transaktionscode'],
    from: ['Absender E-Mail-Adresse'],
    shipping: ['Versand- und Bearbeitungsgebühr'],
    tax: ['Umsatzsteuer'],
    // PayPal's own translation of a custom number is the number for the customs.
    custom: ['Individuelle Nummer', 'Zollnummer'],
    invoice: ['Rechnungsnummer'],
    reference: ['Zugehöriger Transaktionscode'],
    impact: ['Auswirkung auf Guthaben'],
  },
  decimal: ',',
  isSale: /^(?!massen|sammel|rück|aus).*zahlung( erhalten| im einzugsverfahren.*)?$/i,
  isRefund: /^rück(zahlung|erstattung)|rückerstattung$/i,
  done: [
    'abgeschlossen',
    'zurückgezahlt',
    'teilweise zurückgezahlt',
    'rückerstattet',
    'teilweise rückerstattet',
  ],
});
