import { lstatSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { PayrunError } from './errors.ts';

/**
 * The nearest folder upwards from `from` with a payrun.json. Its jobs are executed, by `payrun check` already, so
 * folder, payrun.json and jobs/ must belong to `user` (of this process unless given) or to root, or the folder stand in
 * PAYRUN_TRUST: whoever may make files in a folder above could have any code run by others otherwise.
 * Raises `config-not-found` and `workspace-untrusted`.
 */
export function findWorkspace({
  from,
  env,
  user = process.getuid?.(),
}: {
  from: string;
  env: NodeJS.ProcessEnv;
  user?: number | undefined;
}): string {
  const workspace = nearest(from);
  if (user === undefined || isTrusted(workspace, env.PAYRUN_TRUST)) return workspace;
  for (const name of ['', 'payrun.json', 'jobs']) {
    const owner = ownerOf(path.join(workspace, name));
    if (owner === undefined || owner === 0 || owner === user) continue;
    throw new PayrunError('workspace-untrusted', 'The workspace found here belongs to another user.', {
      place: { file: path.join(workspace, name) },
      found: `owner ${owner}, while this is user ${user}`,
      todo: `If you trust that user with whatever its jobs do: name it, with --workspace ${workspace}, or set PAYRUN_TRUST=${workspace}.`,
    });
  }
  return workspace;
}

/** `list` has whole paths, as PATH has them. */
function isTrusted(workspace: string, list = ''): boolean {
  const named = list.split(path.delimiter).filter((one) => path.isAbsolute(one));
  return named.some((one) => [workspace, realpathSync(workspace)].includes(path.resolve(one)));
}

function nearest(from: string): string {
  for (let folder = path.resolve(from); ; folder = path.dirname(folder)) {
    // One that may not be read is not passed over: the next one upwards would be another workspace.
    if (ownerOf(path.join(folder, 'payrun.json')) !== undefined) return folder;
    if (path.dirname(folder) === folder) {
      throw new PayrunError('config-not-found', 'There is no payrun.json here or in any folder above.', {
        place: { file: from },
      });
    }
  }
}

/** Of a link its own owner; undefined where there is nothing. */
function ownerOf(file: string): number | undefined {
  return lstatSync(file, { throwIfNoEntry: false })?.uid;
}
