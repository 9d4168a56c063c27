import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../config.ts';
import { listed, PayrunError } from '../errors.ts';
import { showCount } from '../money.ts';
import { folderFault } from '../system-fault.ts';

/**
 * What lies in the inbox and is nobody's: files beside the folders, and folders with files in them whose name no
 * source of any account has. A sentence each that names it and says what to do, in order of name.
 */
export async function straysOfInbox({
  workspace,
  accounts,
}: Pick<Config, 'workspace' | 'accounts'>): Promise<string[]> {
  const inbox = path.join(workspace, 'inbox');
  const refs = new Set(accounts.flatMap(({ sources }) => sources.map(({ ref }) => ref)));
  const known = refs.size === 0 ? 'it has none yet' : `it has ${listed(refs)}`;
  const found: string[] = [];
  const names = await readdir(inbox).catch((cause) => {
    const fault = folderFault(cause, { name: 'inbox/', folder: inbox });
    if (!(fault instanceof PayrunError)) throw fault;
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') found.push(fault.message);
    return [];
  });
  for (const name of names.sort()) {
    if (refs.has(name) || !isWhole(name)) continue;
    const files = await readdir(path.join(inbox, name), { recursive: true, withFileTypes: true }).catch(
      () => undefined,
    );
    const count = files?.filter((entry) => entry.isFile() && isWhole(entry.name)).length;
    if (count === undefined) {
      const todo = `move it into the folder of a source of payrun.json; ${known}`;
      found.push(`inbox/${name} belongs to no source and is not imported: ${todo}`);
    } else if (count > 0) {
      const holds = `holds ${count === 1 ? 'a file' : `${showCount(count)} files`}`;
      const todo = `add the source "${name}" to payrun.json, or rename the folder to one of its sources; ${known}`;
      found.push(`inbox/${name}/ belongs to no source and ${holds} that no run imports: ${todo}`);
    }
  }
  return found;
}

/** Whether a file of the inbox is there whole: hidden ones and those that end in .part or .tmp are still being written. */
export function isWhole(name: string): boolean {
  return !name.startsWith('.') && !/\.(part|tmp)$/.test(name);
}
