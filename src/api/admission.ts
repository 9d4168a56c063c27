import { Batcher } from '../batcher.ts';
import { type Asked, type LetIn, letIn, readKey } from '../db/api-keys.ts';
import type { Db } from '../db/connect.ts';
import type { ApiKeyKind } from '../db/tables.ts';
import type { Clock } from '../time.ts';
import { ApiFault } from './fault.ts';

/** Requests whose keys are looked up in one statement at the most. */
const mostTogether = 200;

const minuteMilliseconds = 60_000;

/**
 * Lets requests in: by their key, which is looked up anew for each, so that a revoked one is refused at once in every
 * process, and by how many the key has made in this minute. Requests that come at the same time are looked up together.
 */
export class Admission {
  readonly #clock: Clock;
  readonly #batcher: Batcher<Asked, LetIn | undefined>;

  constructor(db: Db, clock: Clock) {
    this.#clock = clock;
    this.#batcher = new Batcher((asked) => {
      const now = clock();
      return letIn(db.sql, asked, now, minuteOf(now));
    }, mostTogether);
  }

  /** When the next minute begins, in Unix seconds. */
  get reset(): number {
    return minuteOf(this.#clock()).getTime() / 1000 + 60;
  }

  /**
   * Whom a request is from, and how many of its class (`read`, `write`) the key has made in this minute, this one among
   * them. Raises `unauthorized` for a missing, unknown or revoked key
   * and for one of another kind.
   */
  async admit(
    authorization: string | undefined,
    kind: ApiKeyKind,
    counted: string,
  ): Promise<{ client: LetIn; used: number }> {
    const text = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (text === undefined)
      throw new ApiFault('unauthorized', 'An API key is required: Authorization: Bearer <key>.');
    const key = readKey(text);
    if (key?.kind !== kind) throw new ApiFault('unauthorized', 'The API key is not valid.');
    const client = await this.#batcher.add({ accountId: key.accountId, hash: key.hash, class: counted });
    if (client?.key.kind !== kind) throw new ApiFault('unauthorized', 'The API key is not valid.');
    return { client, used: client.used };
  }
}

function minuteOf(now: Date): Date {
  return new Date(now.getTime() - (now.getTime() % minuteMilliseconds));
}
