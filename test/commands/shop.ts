import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Place, payrunJson } from './payrun.ts';
import { configOf, workspace } from './workspace.ts';

const affiliates = `ref,name,email,short_code,status,commission_override,payout_method,payout_destination
ada,Ada's Blog,ada@example.com,ADA10,active,,paypal,ada@example.com
bob,Bob,bob@example.com,,active,,paypal,bob@example.com
cyd,Cyd,cyd@example.com,,active,25,,
dot,Dot,dot@example.com,,paused,,paypal,dot@example.com
`;

/** All but INV-2 have a hold that has ended by 2 March; INV-6 names an affiliate that nobody knows. */
const sales = `external_id,affiliate,amount,currency,occurred_at,product_ids
INV-1,ada,1000.00,USD,2026-01-10T12:00:00Z,prod_pro
INV-2,ada,10.00,USD,2026-02-20T12:00:00Z,
INV-3,bob,100.00,USD,2026-01-11T12:00:00Z,
INV-4,cyd,1000.00,USD,2026-01-11T12:00:00Z,
INV-5,dot,50.00,USD,2026-01-11T12:00:00Z,
INV-6,nobody,50.00,USD,2026-01-11T12:00:00Z,
`;

export interface Shop extends Place {
  account: string;
}

/** A workspace with an account of its own in the database at `url`, where affiliates and sales have been imported. */
export async function openShop(url: string, program: Record<string, unknown> = {}): Promise<Shop> {
  const account = `shop-${randomUUID().slice(0, 8)}`;
  const config = configOf(account, {
    incentives: [{ ref: 'pro', percent: '30', product_ids: ['prod_pro'] }],
    ...program,
  });
  const cwd = await workspace({
    ...config,
    jobs: { nightly: { cron: '0 2 * * *', timezone: 'Europe/Berlin' } },
  });
  await writeFile(path.join(cwd, 'affiliates.csv'), affiliates);
  await writeFile(path.join(cwd, 'sales.csv'), sales);
  const shop = { cwd, url, account };
  await payrunJson(['apply'], shop);
  await payrunJson(['import', 'affiliates', 'affiliates.csv'], shop);
  await payrunJson(['import', 'sales', 'sales.csv'], shop, 3);
  return shop;
}
