import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { emptyFolder } from '../support/folder.ts';

/** A new folder with this payrun.json. */
export async function workspace(config: unknown): Promise<string> {
  const folder = await emptyFolder();
  await writeConfig(folder, config);
  return folder;
}

export async function writeConfig(folder: string, config: unknown): Promise<void> {
  await writeFile(path.join(folder, 'payrun.json'), JSON.stringify(config, null, 2));
}

/** A configuration with one account and one programme; what is given replaces parts of the programme. */
export function configOf(ref: string, program: Record<string, unknown> = {}): Config {
  return {
    accounts: [
      {
        ref,
        name: 'Acme Inc.',
        programs: [
          {
            ref: 'main',
            name: 'Acme Partners',
            currency: 'USD',
            timezone: 'Europe/Berlin',
            hold_days: 30,
            commission: { percent: '20' },
            minimum_payout: '50.00',
            ...program,
          },
        ],
        sources: [{ ref: 'offline', kind: 'sales_csv', program: 'main' }],
      },
    ],
  };
}

export interface Config {
  accounts: {
    ref: string;
    name: string;
    programs: Record<string, unknown>[];
    sources: Record<string, unknown>[];
  }[];
  jobs?: Record<string, unknown>;
}
