import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { PayrunError } from './errors.ts';

const algorithm = 'aes-256-gcm';
const keyBytes = 32;
const ivBytes = 12;
const tagBytes = 16;
const variable = 'PAYRUN_KEY';

/** Where the key of a workspace is, if no environment gives it. */
export function keyFile(workspace: string): string {
  return path.join(workspace, '.payrun', 'key');
}

/** Makes the key file of a workspace, readable by its owner alone; leaves one that is there. Returns whether it was made. */
export async function makeKeyFile(workspace: string): Promise<boolean> {
  const file = keyFile(workspace);
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  try {
    const handle = await open(file, 'wx', 0o600);
    try {
      await handle.writeFile(`${randomBytes(keyBytes).toString('base64')}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw cause;
  }
}

/**
 * The key that seals what has to be read again: `PAYRUN_KEY` of the environment, else the workspace's key file; 32 bytes
 * in base64. Raises `config-invalid` where there is none, or it is no such key.
 */
export function workspaceKey(workspace: string, env: NodeJS.ProcessEnv): Buffer {
  const given = env[variable];
  const text = given ?? readKeyFile(workspace);
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length === keyBytes && key.toString('base64') === text.trim()) return key;
  throw new PayrunError('config-invalid', 'The key of the workspace is not 32 bytes in base64.', {
    place: given === undefined ? { file: keyFile(workspace) } : { field: variable },
    todo: 'Put the key back that was there before: what it has sealed can be read with no other one.',
  });
}

function readKeyFile(workspace: string): string {
  try {
    return readFileSync(keyFile(workspace), 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw new PayrunError('config-invalid', 'The workspace has no key to seal secrets with.', {
      place: { file: keyFile(workspace) },
      todo: `Run "payrun init" here, which makes one, or give the key in ${variable} (32 bytes in base64).`,
    });
  }
}

/** Seals `secret` (AES-256-GCM) so that it opens only for the same `use`, such as the id of the row it stands in. */
export function seal(key: Buffer, secret: string, use: string): Buffer {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv(algorithm, key, iv).setAAD(Buffer.from(use));
  const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]);
}

/** The secret that was sealed for `use`. Raises `config-invalid` where the key is another one. */
export function unseal(key: Buffer, sealed: Buffer, use: string): string {
  const iv = sealed.subarray(0, ivBytes);
  const tag = sealed.subarray(ivBytes, ivBytes + tagBytes);
  const decipher = createDecipheriv(algorithm, key, iv, { authTagLength: tagBytes })
    .setAAD(Buffer.from(use))
    .setAuthTag(tag);
  try {
    return decipher.update(sealed.subarray(ivBytes + tagBytes)).toString('utf8') + decipher.final('utf8');
  } catch (cause) {
    throw new PayrunError('config-invalid', 'The key of the workspace does not open what was sealed.', {
      todo: `Give the key by which it was sealed, in ${variable} or in the workspace's key file. Nothing was changed.`,
      cause,
    });
  }
}
