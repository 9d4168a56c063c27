import { randomBytes } from 'node:crypto';
import { type Command, Option } from 'commander';
import type { Context } from '../context.ts';
import {
  type ApiKey,
  createKey,
  type KeyScope,
  keyPrefixes,
  keyScopes,
  listKeys,
  revokeKey,
} from '../db/api-keys.ts';
import type { Db } from '../db/connect.ts';
import type { ApiKeyKind } from '../db/tables.ts';
import { PayrunError } from '../errors.ts';
import { parseId, showId } from '../ids.ts';
import { seal, workspaceKey } from '../secrets.ts';
import { showInstant } from '../time.ts';
import { type Account, withAccount } from './open.ts';
import { type Paint, pairs, paragraphs, table } from './render.ts';
import type { Answer, Shell } from './shell.ts';

interface CreateFlags {
  for: ApiKeyKind;
  scopes: string;
  signed?: boolean;
  source?: string;
}

const examples = `
Examples:
  payrun keys create shop --for affonso          a key for clients of Affonso's API
  payrun keys create shop --for affonso --signed its requests must be signed
  payrun keys list
  payrun keys revoke key_01jx…                   refused at once, in every process`;

/** Adds `payrun keys create|list|revoke`. */
export function register(program: Command, shell: Shell): void {
  const parent = program
    .command('keys')
    .summary('keys of the API: create, list, revoke')
    .description('Keys of the API: create, list and revoke them.')
    .addHelpText('after', examples);
  parent
    .command('create')
    .description('Create a key and print it, once; only its hash is stored.')
    .argument('<name>', 'what it is for, in your words')
    .addOption(
      new Option('--for <interface>', 'whose clients use it')
        .choices(Object.keys(keyPrefixes))
        .makeOptionMandatory(),
    )
    .option('--scopes <list>', `what it may do: ${keyScopes.join(', ')}`, 'read,write')
    .option('--signed', 'requests must be signed; prints the secret, once')
    .option('--source <ref>', 'the source of kind "api" whose settings count, where there are several')
    .action(shell.does((name: string, flags: CreateFlags) => create(shell, name, flags)));
  parent
    .command('list')
    .description('List the keys of the account, the newest first.')
    .action(shell.does(() => withAccount(shell, (context, account) => list(context, account))));
  parent
    .command('revoke')
    .description('Revoke a key: it is refused from then on.')
    .argument('<id>', 'its id, as "payrun keys list" shows it')
    .action(shell.does((id: string) => revoke(shell, id)));
}

async function create(shell: Shell, name: string, flags: CreateFlags): Promise<Answer> {
  const scopes = readScopes(flags.scopes);
  if (flags.signed && flags.for !== 'affonso')
    throw new PayrunError('usage', 'Only requests of Affonso’s clients are signed.', {
      place: { field: '--signed' },
      todo: 'Leave --signed out.',
    });
  return withAccount(shell, async (context, account) => {
    const sourceId = await sourceOf(context, account, flags.source);
    const secret = flags.signed ? `whsec_${randomBytes(24).toString('hex')}` : undefined;
    const key = secret === undefined ? undefined : workspaceKey(context.config.workspace, shell.env);
    const wanted = { name, kind: flags.for, scopes, sourceId, now: shell.clock() };
    const sealed = key && secret ? (id: string) => seal(key, secret, id) : undefined;
    const { id, text } = await createKey(context.db, account.id, wanted, sealed);
    return {
      data: {
        id: showId('key', id),
        name,
        for: flags.for,
        scopes,
        key: text,
        ...(secret !== undefined && { signing_secret: secret }),
      },
      text: (paint) =>
        paragraphs(
          pairs(paint, [
            ['key', text],
            ['signing secret', secret],
            ['id', showId('key', id)],
          ]),
          paint.warn('This is shown once. Keep it where secrets are kept; "payrun keys revoke" ends it.'),
        ),
    };
  });
}

function readScopes(text: string): KeyScope[] {
  const wanted = text.split(',').map((one) => one.trim());
  const unknown = wanted.find((one) => !(keyScopes as readonly string[]).includes(one));
  if (unknown === undefined) return wanted as KeyScope[];
  throw new PayrunError('usage', 'There is no such scope.', {
    place: { field: '--scopes' },
    found: unknown,
    todo: `Write some of ${keyScopes.join(', ')}, with commas between them.`,
  });
}

async function sourceOf(
  { config, db }: Context<Db>,
  account: Account,
  ref: string | undefined,
): Promise<string | null> {
  const sources = config.accounts.find((one) => one.ref === account.ref)?.sources ?? [];
  const ofRequests = sources.filter((one) => one.kind === 'api').map((one) => one.ref);
  if (ref === undefined && ofRequests.length <= 1) return null;
  const known = `The sources of kind "api" are: ${ofRequests.join(', ') || 'none yet'}.`;
  if (ref === undefined)
    throw new PayrunError('usage', 'The account has several sources of requests.', {
      todo: `Say which with --source. ${known}`,
    });
  if (!ofRequests.includes(ref))
    throw new PayrunError('usage', `payrun.json has no source "${ref}" of kind "api".`, { todo: known });
  const found = await db.sql
    .selectFrom('source')
    .select('id')
    .where('account_id', '=', account.id)
    .where('ref', '=', ref)
    .executeTakeFirst();
  if (!found)
    throw new PayrunError('config-not-applied', `The database does not know the source "${ref}" yet.`);
  return found.id;
}

async function list(context: Context<Db>, account: Account): Promise<Answer> {
  const keys = await listKeys(context.db, account.id);
  return {
    data: keys.map(({ id, source_id, ...key }) => ({
      id: showId('key', id),
      ...key,
      source: source_id === null ? null : showId('source', source_id),
    })),
    text: (paint) => describe(paint, keys),
  };
}

function describe(paint: Paint, keys: ApiKey[]): string {
  if (keys.length === 0) return 'No keys yet: payrun keys create <name> --for affonso.';
  const day = (moment: Date | null) => (moment ? showInstant(moment, paint.zone) : '');
  return table(
    paint,
    ['id', 'name', 'for', 'scopes', 'last used', 'revoked'].map((title) => ({ title })),
    keys.map((key) => [
      showId('key', key.id),
      key.name,
      `${key.kind}${key.signed ? ', signed' : ''}`,
      key.scopes.join(', '),
      day(key.last_used_at),
      day(key.revoked_at),
    ]),
  );
}

async function revoke(shell: Shell, text: string): Promise<Answer> {
  return withAccount(shell, async (context, account) => {
    const id = parseId('key', text);
    if (!(await revokeKey(context.db, account.id, id, shell.clock())))
      throw new PayrunError('not-found', 'There is no key with this id.', {
        found: text,
        todo: 'Check the id; "payrun keys list" shows what there is.',
      });
    return {
      data: { id: showId('key', id), revoked: true },
      text: () => 'Revoked: it is refused from now on.',
    };
  });
}
