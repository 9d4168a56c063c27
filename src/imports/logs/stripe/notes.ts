import type { Session } from '../../../db/connect.ts';
import type { Note, SaleFact, StripeRefund } from './fact.ts';

/**
 * What events say about payments that other events of the same log record. They stand in a table of the server for the
 * time of an import, because a log may be longer than memory, and its lines are in any order.
 */
export interface Notes {
  /** Returns a promise to wait for when notes are sent. */
  add(note: Note): Promise<void> | undefined;
  /** Sends the rest, and makes them ready to be found. Returns whether there are any. */
  finish(): Promise<boolean>;
}

/** Notes that are sent together. */
const together = 2_000;

export async function createNotes(session: Session): Promise<Notes> {
  await session.client.query(`
    drop table if exists pg_temp.stripe_note;
    create temp table stripe_note (payment text, invoice text, subscription text, affiliate text, click_id text, customer_id text,
      terms jsonb, is_met boolean not null default false) on commit drop`);
  let waiting: unknown[] = [];
  let isAny = false;
  const send = async () => {
    const rows = JSON.stringify(waiting);
    waiting = [];
    isAny = true;
    await session.client.query(
      `/* imports.stripe.note */ insert into stripe_note
       select payment, invoice, subscription, affiliate, click_id, customer_id, terms
       from jsonb_to_recordset($1) as n(payment text, invoice text, subscription text, affiliate text, click_id text,
         customer_id text, terms jsonb)`,
      [rows],
    );
  };
  return {
    add({ payments, invoice, subscription, affiliate, clickId, customerId, ...terms }) {
      const said = { invoice, subscription, affiliate, click_id: clickId, customer_id: customerId };
      const known = terms.isSubscription === undefined ? undefined : terms;
      for (const payment of payments.length > 0 ? payments : [undefined]) {
        waiting.push({ ...said, payment, terms: known });
      }
      return waiting.length >= together ? send() : undefined;
    },
    async finish() {
      if (waiting.length > 0) await send();
      await session.client.query(
        'create index on stripe_note (payment); create index on stripe_note (invoice); analyze stripe_note',
      );
      return isAny;
    },
  };
}

interface Told {
  at: number;
  invoice: string | null;
  subscription: string | null;
  affiliate: string | null;
  click_id: string | null;
  customer_id: string | null;
  terms: Pick<Note, 'productIds' | 'priceIds' | 'interval' | 'isSubscription'> | null;
  is_known: boolean;
}

/**
 * Adds to sales what notes say about their payments and the payments' invoices, where they do not say it themselves,
 * and keeps with them which payment intent, invoice and subscription they are of. Returns those that a partner has a part in: they name an affiliate, or a customer or click that is known.
 * Where notes differ, the first in order of bytes counts, so that the order of lines does not matter. Without notes, those
 * that name an affiliate need no looking up.
 */
export async function attributed(
  session: Session,
  accountId: number,
  facts: SaleFact[],
  hasNotes: boolean,
): Promise<SaleFact['sale'][]> {
  const open = hasNotes ? facts : facts.filter(({ sale }) => sale.affiliate === undefined);
  for (const { sale, paymentIntent, invoice } of facts) sale.metadata = idsOf({ paymentIntent, invoice });
  const known = open.length === 0 ? new Set() : await tellKnown(session, accountId, open);
  return facts.flatMap(({ sale }) => (sale.affiliate !== undefined || known.has(sale) ? [sale] : []));
}

/** The ids of Stripe's that a sale keeps, as JSON; undefined for none. */
function idsOf(ids: {
  paymentIntent: string | undefined;
  invoice: string | undefined;
  subscription?: string | undefined;
}): string | undefined {
  const kept = {
    payment_intent_id: ids.paymentIntent,
    invoice_id: ids.invoice,
    subscription_id: ids.subscription,
  };
  return Object.values(kept).some((id) => id !== undefined) ? JSON.stringify(kept) : undefined;
}

/** Adds what notes say to sales, and returns those whose customer or click is known. */
async function tellKnown(
  session: Session,
  accountId: number,
  facts: SaleFact[],
): Promise<Set<SaleFact['sale']>> {
  const asked = facts.map(({ charge, paymentIntent, sale: { customerId, clickId } }, at) => ({
    at,
    charge,
    payment_intent: paymentIntent,
    customer_id: customerId,
    click_id: clickId,
  }));
  const found = await session.client.query<Told>(
    `/* imports.stripe.attribute */
    with asked as materialized (
      select * from jsonb_to_recordset($2) as a(at integer, charge text, payment_intent text, customer_id text, click_id text)
    ),
    met as (
      update stripe_note set is_met = true
      where payment in (select charge from asked union all select payment_intent from asked) and not is_met
    ),
    paid as materialized (
      select a.at, n.* from asked a join stripe_note n on n.payment = a.charge
      union all
      select a.at, n.* from asked a join stripe_note n on n.payment = a.payment_intent
    ),
    invoiced as (
      select i.at, n.* from (select distinct at, invoice from paid where invoice is not null) i
      join stripe_note n on n.invoice = i.invoice
    ),
    told as (
      select at, min(invoice collate "C") as invoice, min(subscription collate "C") as subscription,
        min(affiliate collate "C") as affiliate, min(click_id collate "C") as click_id,
        min(customer_id collate "C") as customer_id, min(terms::text collate "C")::jsonb as terms
      from (select * from paid union all select * from invoiced) said group by at
    )
    select a.at, told.invoice, told.subscription, told.affiliate, told.click_id, told.customer_id, told.terms,
      exists (select from referral r where r.account_id = $1 and r.customer_id = coalesce(a.customer_id, told.customer_id))
        or exists (select from referral r where r.account_id = $1 and r.click_id = coalesce(a.click_id, told.click_id)) as is_known
    from asked a left join told on told.at = a.at
    order by a.at`,
    [accountId, JSON.stringify(asked)],
  );
  const known = new Set<SaleFact['sale']>();
  for (const told of found.rows) {
    const { sale, paymentIntent, invoice } = facts[told.at]!;
    sale.metadata = idsOf({
      paymentIntent,
      invoice: invoice ?? told.invoice ?? undefined,
      subscription: told.subscription ?? undefined,
    });
    sale.affiliate ??= told.affiliate ?? undefined;
    sale.clickId ??= told.click_id ?? undefined;
    sale.customerId ??= told.customer_id ?? undefined;
    Object.assign(sale, told.terms);
    if (told.is_known) known.add(sale);
  }
  return known;
}

/**
 * How many payments notes credit to a partner although no event that recorded them has come: their charge may stand in an
 * earlier log, where nothing said so yet. To be asked when all sales of the log went by `attributed`.
 */
export async function countUnmet(session: Session, accountId: number, idPrefix: string): Promise<number> {
  const unmet = await session.client.query<{ payments: number }>(
    `/* imports.stripe.unmet */
    select count(distinct n.payment)::integer as payments from stripe_note n
    where n.payment is not null and not n.is_met
      and (n.affiliate is not null or n.invoice in (select invoice from stripe_note where affiliate is not null))
      and not exists (select from conversion c where c.account_id = $1 and c.external_id = $2 || n.payment)`,
    [accountId, idPrefix],
  );
  return unmet.rows[0]!.payments;
}

/**
 * The refunds that a partner has a part in, for all that is known: their sale is recorded, or their charge names an
 * affiliate, or a customer or click that is known, so that the sale may still come.
 */
export async function withPartner(
  session: Session,
  accountId: number,
  refunds: StripeRefund[],
): Promise<StripeRefund[]> {
  const asked = refunds.map(({ saleExternalId, attribution }, at) => ({
    at,
    sale: saleExternalId,
    affiliate: attribution.affiliate,
    customer_id: attribution.customerId,
    click_id: attribution.clickId,
  }));
  const found = await session.client.query<{ at: number }>(
    `/* imports.stripe.refunds */
    select a.at
    from jsonb_to_recordset($2) as a(at integer, sale text, affiliate text, customer_id text, click_id text)
    where a.affiliate is not null
      or exists (select from conversion c where c.account_id = $1 and c.external_id = a.sale)
      or exists (select from referral r where r.account_id = $1 and r.customer_id = a.customer_id)
      or exists (select from referral r where r.account_id = $1 and r.click_id = a.click_id)
    order by a.at`,
    [accountId, JSON.stringify(asked)],
  );
  return found.rows.map(({ at }) => refunds[at]!);
}
