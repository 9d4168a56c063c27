import { createHash, randomUUID } from 'node:crypto';
import fastify from 'fastify';
import { validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { z } from 'zod';

/*
 * The handler that an engineer would write over the same schema: a zod schema, a key looked up by its hash, the affiliate
 * by name, and two INSERTs in a transaction with ON CONFLICT. No journal, no incentives, no limit of requests.
 */

// biome-ignore lint/suspicious/noExplicitAny: as one would type it in an afternoon
const db = new Kysely<any>({
  dialect: new PostgresDialect({
    pool: new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 }),
  }),
});
const {
  account_id,
  id: program_id,
  rate_ppm,
} = await db.selectFrom('program').selectAll().executeTakeFirstOrThrow();
const run = await db.selectFrom('run').select('id').executeTakeFirstOrThrow();
const app = fastify();
app.setValidatorCompiler(validatorCompiler);
app.withTypeProvider<ZodTypeProvider>().post(
  '/api/v1/conversions',
  {
    schema: {
      body: z.object({ affiliate_id: z.string(), amount_cents: z.int().positive(), external_id: z.string() }),
    },
  },
  async (request, reply) => {
    const hash = createHash('sha256')
      .update(request.headers.authorization ?? '')
      .digest();
    await db
      .selectFrom('api_key')
      .select('id')
      .where('account_id', '=', account_id)
      .where('hash', '=', hash)
      .execute();
    const { affiliate_id, amount_cents: amount, external_id } = request.body;
    const affiliate = await db
      .selectFrom('affiliate')
      .select(['id', 'override_ppm'])
      .where('account_id', '=', account_id)
      .where('ref', '=', affiliate_id)
      .executeTakeFirst();
    if (!affiliate) return reply.status(404).send({ error: 'Affiliate not found' });
    const id = randomUUID();
    const ppm = affiliate.override_ppm ?? rate_ppm;
    const earned = Math.round((amount * ppm) / 1_000_000);
    const isNew = await db.transaction().execute(async (trx) => {
      const sale = await trx
        .insertInto('conversion')
        .values({
          account_id,
          id,
          program_id,
          external_id,
          affiliate_id: affiliate.id,
          amount,
          occurred_at: new Date(),
          fingerprint: Buffer.alloc(16),
          import_id: run.id,
          line: 1,
          occurred_at_given: false,
          currency: 'USD',
          sales_status: 'complete',
        })
        .onConflict((conflict) => conflict.columns(['account_id', 'external_id']).doNothing())
        .executeTakeFirst();
      if (sale.numInsertedOrUpdatedRows === 0n) return false;
      await trx
        .insertInto('commission')
        .values({
          account_id,
          id,
          program_id,
          affiliate_id: affiliate.id,
          amount: earned,
          hold_until: new Date(Date.now() + 30 * 86_400_000),
          status_at: new Date(),
          status_run_id: run.id,
          rate_ppm: ppm,
          hold_days: 30,
          overridden: false,
          currency: 'USD',
          status: 'pending',
          rounding: 'half_up',
        })
        .execute();
      return true;
    });
    if (!isNew) return reply.status(409).send({ error: 'Duplicate' });
    return reply.status(201).send({ id, commissionCents: earned });
  },
);
process.stderr.write(`Listening at ${await app.listen({ host: '127.0.0.1', port: 0 })}\n`);
process.on('SIGTERM', () => process.exit(0));
