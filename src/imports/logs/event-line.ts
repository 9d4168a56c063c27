import type { ProgramRow } from '../../db/tables.ts';
import { readId } from '../../ids.ts';
import type { StagedEvent } from '../../ledger/events.ts';
import { isOrWasCurrency } from '../../money.ts';
import type { RowFault } from '../faults.ts';
import type { LogLine } from '../files/ndjson.ts';
import type { Noted } from '../noted.ts';
import type { Rates } from '../rates.ts';
import { saysEmpty } from '../values/cells.ts';
import { dateReader, isoFault } from '../values/dates.ts';
import { Horizon } from '../values/horizon.ts';
import { affiliateName, canonicalList, composed, setExchange } from '../values/values.ts';
import { amountOn, type ParsedEvent } from './exact-amount.ts';
import { hasUnsafe, parseObject } from './json-object.ts';
import { writtenNumber } from './written-number.ts';

export interface EventReading {
  program: Pick<ProgramRow, 'currency' | 'timezone'>;
  timezone: string | undefined;
  idPrefix: string;
  rates: Rates;
  /** When the log was received: it stands in where a line does not say when it happened. */
  receivedAt: Date;
  /** Lines whose date is still to come. */
  ahead?: Noted;
}

const types = new Set(['conversion', 'lead', 'trial', 'milestone']);
const identifiers = [
  ['referral_id', 'referralRef'],
  ['customer_id', 'customerId'],
  ['external_user_id', 'externalUserId'],
  ['click_id', 'clickId'],
] as const;
const lists = [
  ['product_ids', 'productIds'],
  ['price_ids', 'priceIds'],
] as const;
/** What an integer beyond 2^53 has. */
const longNumber = /\d{16}/;
/**
 * A function that turns a line of an event log (the body of Affonso's POST /v1/events) into a staged event, by that
 * interface's rules: event_name is required, event_type is milestone unless said, one identifier is needed, and a
 * conversion needs sale_amount, sale_amount_currency and external_event_id. Keys it does not know are left alone. A line
 * that was parsed before needs no text.
 */
export function eventReader(reading: EventReading): (line: LogLine, parsed?: ParsedEvent) => StagedEvent {
  const readDate = dateReader('iso', reading.timezone ?? reading.program.timezone);
  const horizon = new Horizon(reading.receivedAt);
  return ({ n, line, text }, parsed) => {
    const event: StagedEvent = { n, line, eventType: 'milestone', eventName: '' };
    const body = parsed?.body ?? parseObject(text);
    const fault =
      typeof body === 'string' ? { code: 'json', field: '', found: body } : fill(event, body, parsed ?? text);
    if (!fault) return event;
    const { eventType } = event;
    return {
      n,
      line,
      eventType,
      eventName: '',
      fault: fault.code,
      faultField: fault.field,
      faultFound: fault.found,
    };
  };

  function fill(
    event: StagedEvent,
    body: Record<string, unknown>,
    text: string | ParsedEvent,
  ): RowFault | undefined {
    return kind(event, body) ?? identity(event, body) ?? moment(event, body) ?? sale(event, body, text);
  }

  function kind(event: StagedEvent, body: Record<string, unknown>): RowFault | undefined {
    const type = body.event_type ?? 'milestone';
    if (typeof type !== 'string' || !types.has(type))
      return { code: 'event-type', field: 'event_type', found: String(type) };
    event.eventType = type as StagedEvent['eventType'];
    const name = textOf(body.event_name);
    if (name === undefined) return required('event_name', body.event_name);
    event.eventName = name;
    return undefined;
  }

  function identity(event: StagedEvent, body: Record<string, unknown>): RowFault | undefined {
    let isNamed = false;
    for (const [key, field] of identifiers) {
      const value = body[key] ?? undefined;
      if (value === undefined) continue;
      if (typeof value !== 'string') return { code: 'type', field: key, found: 'text' };
      event[field] = textOf(value);
      if ((event[field]?.length ?? 0) > 255) return { code: 'too-long', field: key, found: '' };
      isNamed ||= event[field] !== undefined;
    }
    const ours = event.referralRef === undefined ? undefined : readId(event.referralRef);
    if (ours && (ours.noun === 'referral' || ours.noun === undefined)) event.referralId = ours.id;
    if (!isNamed) return { code: 'identifier-missing', field: 'referral_id', found: '' };
    const id = body.external_event_id ?? undefined;
    if (id !== undefined && typeof id !== 'string')
      return { code: 'type', field: 'external_event_id', found: 'text' };
    const external = textOf(id);
    if ((external?.length ?? 0) > 255) return { code: 'too-long', field: 'external_event_id', found: '' };
    if (external !== undefined) event.externalId = reading.idPrefix + external;
    return metadata(event, body.metadata ?? undefined);
  }

  function metadata(event: StagedEvent, value: unknown): RowFault | undefined {
    if (value === undefined) return undefined;
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return { code: 'type', field: 'metadata', found: 'an object' };
    event.metadata = JSON.stringify(value);
    if (longNumber.test(event.metadata) && hasUnsafe(value))
      return { code: 'integer-unsafe', field: 'metadata', found: '' };
    const affiliate = (value as Record<string, unknown>).affiliate_id;
    if (affiliate !== undefined && typeof affiliate !== 'string')
      return { code: 'type', field: 'metadata.affiliate_id', found: 'text' };
    event.affiliate = affiliateName(textOf(affiliate) ?? '');
    return undefined;
  }

  function moment(event: StagedEvent, body: Record<string, unknown>): RowFault | undefined {
    const stated = body.occurred_at ?? undefined;
    if (stated !== undefined && typeof stated !== 'string')
      return { code: 'type', field: 'occurred_at', found: 'text' };
    const text = textOf(stated);
    event.occurredAtGiven = text !== undefined;
    if (text === undefined) {
      event.occurredAt = reading.receivedAt.toISOString();
      return undefined;
    }
    const read = readDate(text);
    if (typeof read === 'string') return { code: isoFault(read), field: 'occurred_at', found: text };
    const distance = horizon.of(read.instant);
    if (distance === 'far') return { code: 'date-future', field: 'occurred_at', found: text };
    if (distance === 'ahead') reading.ahead?.add(event.line);
    event.occurredAt = read.instant;
    return undefined;
  }

  function sale(
    event: StagedEvent,
    body: Record<string, unknown>,
    text: string | ParsedEvent,
  ): RowFault | undefined {
    if (event.eventType !== 'conversion') return undefined;
    if (event.externalId === undefined) return required('external_event_id', body.external_event_id);
    const stated = body.sale_amount_currency ?? '';
    const currency = typeof stated === 'string' ? textOf(stated) : String(stated);
    if (currency === undefined) return required('sale_amount_currency', stated);
    event.currency = currency.toUpperCase();
    if (!isOrWasCurrency(event.currency))
      return { code: 'currency-unknown', field: 'sale_amount_currency', found: event.currency };
    if (body.sale_amount === undefined || body.sale_amount === null) return required('sale_amount', '');
    if (typeof body.sale_amount !== 'number')
      return { code: 'type', field: 'sale_amount', found: 'a number' };
    const amount = amountOn(text, body.sale_amount, event.currency);
    const line = typeof text === 'string' ? text : `:${text.amount}`;
    if (typeof amount === 'string') return amountFault(amount, body.sale_amount, line, event.currency);
    if (amount < 0n) return amountFault('amount-negative', body.sale_amount, line);
    event.amount = amount;
    event.salesStatus = 'complete';
    return terms(event, body) ?? exchange(event);
  }

  function exchange(event: StagedEvent): RowFault | undefined {
    const fault = setExchange(event, reading.program, reading.rates);
    return fault && { ...fault, field: 'sale_amount_currency' };
  }

  function terms(event: StagedEvent, body: Record<string, unknown>): RowFault | undefined {
    for (const [key, field] of lists) {
      const list = body[key] ?? undefined;
      if (list === undefined) continue;
      if (!Array.isArray(list) || !list.every((one) => typeof one === 'string'))
        return { code: 'type', field: key, found: 'a list of texts' };
      event[field] = canonicalList(list);
    }
    const stated = body.interval ?? undefined;
    const interval = typeof stated === 'string' ? textOf(stated) : stated;
    if (interval !== undefined && interval !== 'monthly' && interval !== 'yearly') {
      return { code: 'choice', field: 'interval', found: String(interval) };
    }
    event.interval = interval;
    const subscription = body.is_subscription ?? undefined;
    if (subscription !== undefined && typeof subscription !== 'boolean')
      return { code: 'type', field: 'is_subscription', found: 'true or false' };
    event.isSubscription = subscription;
    return undefined;
  }
}

function required(field: string, stated: unknown): RowFault {
  return { code: 'required', field, found: typeof stated === 'string' ? stated.trim() : '' };
}

function amountFault(code: string, amount: number, line: string, currency?: string): RowFault {
  const written = writtenNumber(line, amount);
  return { code, field: 'sale_amount', found: currency ? `${written} ${currency}` : written };
}

function textOf(value: unknown): string | undefined {
  const text = typeof value === 'string' ? composed(value.trim()) : '';
  return text === '' || saysEmpty(text) ? undefined : text;
}

/** The id of the event on a line that was read before. */
export function affonsoIdOf(text: string): string | undefined {
  const { external_event_id: id } = JSON.parse(text) as Record<string, unknown>;
  return textOf(id);
}
