import { type Sale, seeded } from './sales.ts';

/** How a file says what was sold: one line a sale, each ended. */
export interface Layout {
  /** What stands above the first sale. */
  header: string;
  lineOf(sale: Sale): string;
}

const header = 'external_id,affiliate,amount,currency,occurred_at,product_ids,sales_status,note\n';

/** The canonical CSV, about 100 bytes a sale. */
export const canonical: Layout = {
  header,
  lineOf: (sale) => canonicalLine(`INV-2025-${sale.number}`, sale, sale.product, quoted(sale.note)),
};

/** The same without notes, which an event log does not have either. */
export const withoutNotes: Layout = {
  header,
  lineOf: (sale) => canonicalLine(`INV-2025-${sale.number}`, sale, sale.product, ''),
};

/** What a Stripe log says of the same sales: charges know nothing of products. */
export const asCharges: Layout = {
  header,
  lineOf: (sale) => canonicalLine(chargeId(sale), sale, '', ''),
};

/** The canonical CSV with a note of 2 KB in each line. */
export const longNotes: Layout = {
  header,
  lineOf: (sale) => canonicalLine(`INV-2025-${sale.number}`, sale, sale.product, longNote(sale)),
};

/** Affonso's events: conversions of customers who are known. */
export const affonsoLog: Layout = {
  header: '',
  lineOf(sale) {
    const event = {
      event_name: 'invoice_paid',
      event_type: 'conversion',
      customer_id: sale.customer,
      occurred_at: instant(sale),
      external_event_id: `INV-2025-${sale.number}`,
      sale_amount: sale.cents / 100,
      sale_amount_currency: 'USD',
      product_ids: [sale.product],
      is_subscription: false,
    };
    return `${JSON.stringify(event)}\n`;
  },
};

export function chargeId({ number }: Sale): string {
  return `ch_3Bench${number}Payrun`;
}

export function money({ cents }: Sale): string {
  return `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`;
}

function canonicalLine(externalId: string, sale: Sale, product: string, note: string): string {
  return `${externalId},${sale.affiliate},${money(sale)},USD,${instant(sale)},${product},complete,${note}\n`;
}

function instant({ at }: Sale): string {
  return at.toISOString().replace('.000Z', 'Z');
}

function quoted(text: string): string {
  return text.includes(',') ? `"${text}"` : text;
}

const noteLength = 2_000;
const words =
  'the order of our customer came by "telephone", and was paid at the fair: booth 12, 30 days net'.split(' ');
const prose = proseOf(1 << 15);

/** Another piece of the prose for each sale, quoted, with commas and doubled quotes in it. */
function longNote({ number }: Sale): string {
  const start = (Number(number) * 7_919) % (prose.length - noteLength);
  const note = prose.slice(start, start + noteLength).trim();
  return `"${note.replaceAll('"', '""')}"`;
}

function proseOf(length: number): string {
  const random = seeded(2_000);
  let text = '';
  while (text.length < length) text += `${words[Math.floor(random() * words.length)]} `;
  return text;
}
