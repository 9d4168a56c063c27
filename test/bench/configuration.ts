import { wideMapping } from './wide-layout.ts';

/** The configuration that the sales are recorded under: one programme, one incentive for one of the products. */
export const configuration = {
  accounts: [
    {
      ref: 'acme',
      name: 'Acme Inc.',
      programs: [
        {
          ref: 'main',
          name: 'Acme Partners',
          currency: 'USD',
          timezone: 'Europe/Berlin',
          hold_days: 30,
          commission: { percent: '20' },
          payout_approval: 'automatic',
          incentives: [{ ref: 'pro', percent: '30', product_ids: ['prod_pro'], hold_days: 45 }],
        },
      ],
      sources: [{ ref: 'shop', kind: 'sales_csv', program: 'main', mapping: wideMapping }],
    },
  ],
};
