import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../config.ts';
import { folderMode } from '../disk.ts';
import { PayrunError } from '../errors.ts';
import { faultsOfInbox, straysOfInbox } from '../imports/import.ts';
import { folderFault, isSystemFault } from '../system-fault.ts';
import { type Finding, problemOf } from './finding.ts';

/** Whether the folders of a night can be used and keep others out, and what in the inbox no night can take. */
export async function checkFolders(config: Config): Promise<Finding[]> {
  const sources = config.accounts.flatMap((account) => account.sources);
  const inboxes = new Set(sources.map((source) => `inbox/${source.ref}`));
  const faults = await faultsOfInbox(config);
  const told = new Set(faults.map(({ place }) => path.relative(config.workspace, place?.file ?? '')));
  const names = [...inboxes, 'outbox', 'archive', 'rejects'].filter((name) => !told.has(name));
  const strays = await straysOfInbox(config);
  return [
    ...(await Promise.all(names.map((name) => checkFolder(config, name)))).flat(),
    // What the system refuses there was found above already.
    ...faults.filter((fault) => !isSystemFault(fault)).map((fault) => problemOf('inbox', fault)),
    ...strays.map((message): Finding => ({ check: 'folder', status: 'note', message })),
  ];
}

async function checkFolder(config: Config, name: string): Promise<Finding[]> {
  const folder = path.join(config.workspace, name);
  try {
    const { mode } = await usable(folder, `${name}/`);
    return [
      { check: 'folder', status: 'ok', message: `${name}/ can be read and written` },
      ...openToOthers(name, mode & 0o777, folderMode(config.file_mode)),
    ];
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
      const message = `${name}/ is missing; "payrun init" makes it`;
      return [{ check: 'folder', status: 'note', message }];
    }
    const fault = folderFault(cause, { name: `${name}/`, folder });
    if (fault instanceof PayrunError) return [problemOf('folder', fault)];
    throw fault;
  }
}

async function usable(folder: string, name: string): Promise<{ mode: number }> {
  const found = await stat(folder);
  if (!found.isDirectory()) {
    const todo = 'Move the file out of the way.';
    throw new PayrunError('wrong-path', `${name} is no folder.`, { place: { file: folder }, todo });
  }
  await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  if ((await statfs(folder)).bavail === 0)
    throw new PayrunError('disk-full', `${name} has no room left on its disk.`, { place: { file: folder } });
  return found;
}

/** Folders of an earlier Payrun, or made by hand, keep the rights that they have. */
function openToOthers(name: string, mode: number, wanted: number): Finding[] {
  if (process.platform === 'win32' || (mode & ~wanted) === 0) return [];
  const [has, should] = [mode, wanted].map((bits) => bits.toString(8).padStart(4, '0'));
  const message = `${name}/ is open to others than "file_mode" of payrun.json says (${has})`;
  return [{ check: 'folder', status: 'note', message, todo: `Run "chmod ${should} ${name}".` }];
}
