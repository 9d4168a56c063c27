import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Config, SourceConfig } from '../config.ts';
import { PayrunError } from '../errors.ts';
import { folderFault, systemFault } from '../system-fault.ts';
import { isWhole } from './strays.ts';

/** What waits in the inbox folders of some sources. */
export interface Waiting {
  /** In order of source and name; `file` is a whole path. */
  entries: { file: string; source: string }[];
  /** Folders that could not be looked into; what is in them nobody knows. */
  faults: PayrunError[];
}

/** What lies in inbox/<source>/ of `sources`, but folders and what is still being written. */
export async function waitingIn(workspace: string, sources: Pick<SourceConfig, 'ref'>[]): Promise<Waiting> {
  const waiting: Waiting = { entries: [], faults: [] };
  for (const { ref } of sources) {
    const folder = path.join(workspace, 'inbox', ref);
    try {
      for (const name of await namesIn(workspace, folder))
        waiting.entries.push({ file: path.join(folder, name), source: ref });
    } catch (cause) {
      const fault = folderFault(cause, { name: `inbox/${ref}/`, folder });
      if (!(fault instanceof PayrunError)) throw fault;
      waiting.faults.push(fault);
    }
  }
  return waiting;
}

/**
 * Why what stands at `file`, in the inbox, is not to be read: `file-gone`, `link-broken`, `link-outside` (of the
 * workspace, where its owner would not look), `not-a-file`, or what the disk answers; undefined where it may be.
 */
export async function entryFault(workspace: string, file: string): Promise<PayrunError | undefined> {
  const refused = (code: 'file-gone' | 'not-a-file', what: string) =>
    new PayrunError(code, what, { place: { file } });
  try {
    const found = await lstat(file);
    if (found.isSymbolicLink()) {
      const fault = await linkFault(workspace, file, 'This');
      if (fault) return fault;
    }
    if ((await stat(file)).isFile()) return undefined;
    return refused('not-a-file', 'This is no ordinary file.');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT')
      return refused('file-gone', 'The file was there when the run began, and is gone.');
    const fault = systemFault(cause);
    if (fault instanceof PayrunError) return fault;
    throw fault;
  }
}

/** What of the inbox no night could take, with what to do, for all sources of the configuration. */
export async function faultsOfInbox({
  workspace,
  accounts,
}: Pick<Config, 'workspace' | 'accounts'>): Promise<PayrunError[]> {
  const { entries, faults } = await waitingIn(
    workspace,
    accounts.flatMap(({ sources }) => sources),
  );
  const found = await Promise.all(entries.map(({ file }) => entryFault(workspace, file)));
  return [
    ...faults,
    ...found.filter((fault): fault is PayrunError => fault !== undefined && fault.code !== 'file-gone'),
  ];
}

async function namesIn(workspace: string, folder: string): Promise<string[]> {
  const found = await lstat(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw cause;
  });
  if (!found) return [];
  const fault = found.isSymbolicLink()
    ? await linkFault(workspace, folder, `inbox/${path.basename(folder)}/`)
    : undefined;
  if (fault) throw fault;
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory() && isWhole(entry.name))
    .map(({ name }) => name)
    .sort();
}

/** The inbox itself may be a link, which only the owner of the workspace can have made. */
async function linkFault(workspace: string, link: string, name: string): Promise<PayrunError | undefined> {
  const place = { place: { file: link } };
  let target: string;
  try {
    target = await realpath(link);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ELOOP' && code !== 'ENOTDIR') throw cause;
    return new PayrunError('link-broken', `${name} is a link that leads nowhere.`, place);
  }
  const homes = await Promise.all([workspace, path.join(workspace, 'inbox')].map((one) => realpath(one)));
  if (homes.some((home) => target.startsWith(`${home}${path.sep}`))) return undefined;
  return new PayrunError('link-outside', `${name} is a link that leaves the workspace.`, place);
}
