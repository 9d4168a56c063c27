/** What settles a payout as paid. */
export const paidBy = (payment: { payoutId: string; providerReference: string; by: string }) => ({
  answers: [
    {
      payout: payment.payoutId,
      outcome: 'paid' as const,
      providerReference: payment.providerReference.trim(),
      reason: null,
    },
  ],
  by: payment.by,
});
