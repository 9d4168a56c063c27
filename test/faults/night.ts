import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Place, payrunJson } from '../commands/payrun.ts';
import { configOf, workspace } from '../commands/workspace.ts';

/** A workspace with three affiliates and a file of `rows` sales, some of them faulty, applied and ready. */
export async function salesWorkspace(url: string, rows: number): Promise<Place & { url: string }> {
  const config = configOf('acme', { payout_approval: 'automatic', minimum_payout: '0' });
  const place = { cwd: await workspace(config), url };
  await payrunJson(['apply'], place);
  await writeFile(
    path.join(place.cwd, 'affiliates.csv'),
    `ref,name,payout_method,payout_destination\n${['ann', 'bob', 'cho'].map((ref) => `${ref},${ref},paypal,${ref}@example.com`).join('\n')}\n`,
  );
  await payrunJson(['import', 'affiliates', 'affiliates.csv'], place);
  await writeFile(path.join(place.cwd, 'sales.csv'), salesCsv(rows));
  return place;
}

function salesCsv(rows: number): string {
  const refs = ['ann', 'bob', 'cho', 'nobody'];
  const lines = ['external_id,affiliate,amount,currency,occurred_at'];
  for (let i = 0; i < rows; i += 1) {
    const affiliate = i % 997 === 0 ? refs[3] : refs[i % 3];
    const day = String(1 + (i % 28)).padStart(2, '0');
    lines.push(
      `s-${i},${affiliate},${10 + (i % 500)}.${String(i % 100).padStart(2, '0')},USD,2026-01-${day}T10:00:00Z`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** The files of a folder of the workspace by name, hidden ones too, with their text. */
export async function filesIn(place: Place, folder: string): Promise<Record<string, string>> {
  await mkdir(path.join(place.cwd, folder), { recursive: true });
  const names = await readdir(path.join(place.cwd, folder));
  const texts = await Promise.all(names.map((name) => readFile(path.join(place.cwd, folder, name), 'utf8')));
  return Object.fromEntries(names.map((name, index) => [name, texts[index]!]));
}
