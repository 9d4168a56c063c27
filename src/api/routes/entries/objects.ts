import { z } from 'zod';
import { exactNumber } from '../../exact.ts';
import type { EntryView } from '../../reads/entries.ts';

/** An entry as it is answered when it was made. */
export const madeEntry = z.object({
  id: z.string(),
  businessId: z.string(),
  sourceId: z.string(),
  contactId: z.string(),
  eventValue: z.number().nullable(),
  currency: z.string(),
  expense: z.number().nullable(),
  occurredAt: z.string(),
  createdAt: z.string(),
});

/** An entry as it is read. */
export const readEntryObject = madeEntry.extend({
  configId: z.string(),
  configName: z.string(),
  attributionSource: z
    .string()
    .nullable()
    .describe('The ref of the affiliate who is credited; null while nobody is.'),
  attributionCampaign: z.null(),
  attributionCampaignId: z.null(),
  attributionAd: z.null(),
  attributionAdId: z.null(),
  contact: z.object({
    id: z.string(),
    name: z.string().nullable(),
    firstName: z.string().nullable(),
    email: z.string().nullable(),
  }),
});

export function showMade(row: EntryView, businessId: string): z.infer<typeof madeEntry> {
  return {
    id: row.id,
    businessId,
    sourceId: row.source_id,
    contactId: row.contact_id,
    eventValue: row.amount === null ? null : exactNumber(row.amount, row.currency),
    currency: row.currency,
    expense: row.expense === null ? null : exactNumber(row.expense, row.currency),
    occurredAt: row.occurred_at.toISOString(),
    createdAt: row.created_at.toISOString(),
  };
}

export function showRead(row: EntryView, businessId: string): z.infer<typeof readEntryObject> {
  const names = [row.first_name, row.last_name].filter((name) => name !== null);
  return {
    ...showMade(row, businessId),
    configId: row.program_id,
    configName: row.program_ref,
    attributionSource: row.affiliate_ref,
    attributionCampaign: null,
    attributionCampaignId: null,
    attributionAd: null,
    attributionAdId: null,
    contact: {
      id: row.contact_id,
      name: names.join(' ') || null,
      firstName: row.first_name,
      email: row.email,
    },
  };
}
