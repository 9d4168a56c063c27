import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { tries } from './tries.ts';

/** Another one each time, so that every run tries something new; PAYRUN_SEED repeats a run that failed. */
const seed = Number(process.env.PAYRUN_SEED ?? randomInt(2 ** 31));
process.stdout.write(
  `properties are tried with PAYRUN_SEED=${seed}${tries > 1 ? ` PAYRUN_TRIES=${tries}` : ''}\n`,
);

/**
 * Tries `property` on `runs` generated inputs, times PAYRUN_TRIES; a failure names the smallest input that breaks it,
 * and the seed.
 */
export async function holds<Inputs extends [unknown, ...unknown[]]>(
  property: fc.IAsyncProperty<Inputs> | fc.IProperty<Inputs>,
  runs = 200,
): Promise<void> {
  await fc.assert(property, { seed, numRuns: runs * tries });
}
