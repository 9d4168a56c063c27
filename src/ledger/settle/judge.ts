import type { PayoutStatus } from '../../db/tables.ts';

/** What a provider, or a person, says has become of a payout that left. */
export type Answered = 'paid' | 'failed' | 'returned';

export interface Answer {
  /** The payout's reference, or its id in either form. */
  payout: string;
  outcome: Answered;
  /** The provider's own reference. */
  providerReference: string | null;
  /** Why it failed or came back. */
  reason: string | null;
  /** Where it is said, such as `results.csv:3`; undefined on the command line. */
  where?: string | undefined;
}

/** What the answer finds. */
export interface Found {
  reference: string;
  status: PayoutStatus;
  providerReference: string | null;
  settledBy: string | null;
}

export type Judgement = 'move' | 'unchanged' | { contradiction: string };

/**
 * Whether an answer moves the payout on, says what is known, or contradicts it. Paid and failed follow from exported;
 * returned does from paid as well, because money that has arrived may come back.
 */
export function judge(found: Found, { outcome, providerReference }: Answer): Judgement {
  const { status } = found;
  const isKnown = status === outcome;
  if (isKnown && outcome === 'paid' && found.providerReference !== providerReference) {
    return against(`was paid already, under another reference: ${found.providerReference}`);
  }
  if (isKnown) return 'unchanged';
  if (status === 'exported' || (status === 'paid' && outcome === 'returned')) return 'move';
  if (status === 'paid') {
    return against(
      `is paid, as ${found.settledBy} says (${found.providerReference}); if the money came back, it is returned, not failed`,
    );
  }
  if (status === 'draft' || status === 'approved')
    return against(`is ${status}: it was not exported yet, so nothing can have become of it`);
  return against(`is ${status}; its commissions went back to be paid again`);
}

/** Why two answers about one payout can't both be right; undefined when they agree. */
export function disagreement(one: Answer, other: Answer): string | undefined {
  if (one.outcome !== other.outcome) return `is ${one.outcome} and ${other.outcome}`;
  if (one.outcome === 'paid' && one.providerReference !== other.providerReference)
    return `is paid under two references, ${one.providerReference} and ${other.providerReference}`;
  return undefined;
}

function against(contradiction: string): Judgement {
  return { contradiction };
}
