import { type RawBuilder, sql } from 'kysely';

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const length = 12;

/**
 * An SQL expression: twelve characters without look-alikes, five bits each, out of the bytes of `digest` (bytea).
 * Random as the digest is, and yet no volatile function.
 */
export function referenceOf(digest: RawBuilder<unknown>): RawBuilder<unknown> {
  const characters = Array.from(
    { length },
    (_, index) => sql`substr(${sql.lit(alphabet)}, (get_byte(${digest}, ${sql.lit(index)}) & 31) + 1, 1)`,
  );
  return sql.join(characters, sql` || `);
}
