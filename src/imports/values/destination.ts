import { electronicFormatIBAN, isValidIBAN } from 'ibantools';
import type { PayoutMethod } from '../../db/tables.ts';

export const payoutMethods: readonly PayoutMethod[] = ['paypal', 'wise', 'sepa', 'ach', 'manual'];

/**
 * Reads where an affiliate's money goes: an e-mail address or PayerID for PayPal; an e-mail address, IBAN or the
 * number of a saved recipient for Wise; an IBAN for SEPA; `routing:account` for ACH; any text for manual payment.
 * Returns it as it is stored, an IBAN without spaces and in capitals; undefined when it does not fit `method`.
 */
export function readDestination(method: PayoutMethod, text: string): string | undefined {
  const readers: Record<PayoutMethod, () => string | undefined> = {
    paypal: () => (isEmail(text) || payerId.test(text) ? text : undefined),
    wise: () => (isEmail(text) || wiseRecipient.test(text) ? text : readIban(text)),
    sepa: () => readIban(text),
    ach: () => (isAchAccount(text) ? text : undefined),
    manual: () => text || undefined,
  };
  return readers[method]();
}

const payerId = /^[0-9A-Z]{13}$/;
const wiseRecipient = /^\d{1,18}$/;
const label = '[\\p{L}\\p{N}](?:[\\p{L}\\p{M}\\p{N}-]{0,61}[\\p{L}\\p{M}\\p{N}])?';
const email = new RegExp(
  `^[^\\s\\p{C}@"(),:;<>[\\]\\\\.]+(?:\\.[^\\s\\p{C}@"(),:;<>[\\]\\\\.]+)*@(?:${label}\\.)+(?!\\d+$)${label}$`,
  'u',
);

/** Whether `text` has the form of an e-mail address: no quotes or comments, a host with a dot, in any script. */
export function isEmail(text: string): boolean {
  return text.length <= 254 && text.indexOf('@') <= 64 && email.test(text);
}

function readIban(text: string): string | undefined {
  const iban = electronicFormatIBAN(text);
  return iban !== null && isValidIBAN(iban) ? iban : undefined;
}

/** An account number has up to 17 characters, as NACHA's entry record gives it. */
function isAchAccount(text: string): boolean {
  const [, routing] = /^(\d{9}):[0-9A-Za-z-]{1,17}$/.exec(text) ?? [];
  return routing !== undefined && isRoutingNumber(routing);
}

/** The ninth digit of an ABA routing number makes the digits, weighted 3 7 1, a multiple of ten. */
function isRoutingNumber(digits: string): boolean {
  const weights = [3, 7, 1];
  const sum = [...digits].reduce((total, digit, index) => total + Number(digit) * weights[index % 3]!, 0);
  return sum > 0 && sum % 10 === 0;
}
