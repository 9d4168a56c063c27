const asked = process.env.PAYRUN_TRIES ?? '1';
if (!/^[1-9]\d{0,5}$/.test(asked))
  throw new Error(`PAYRUN_TRIES must be a whole number from 1, not “${asked}”.`);

/** How many times its usual runs every property is tried; a night's search sets PAYRUN_TRIES to more than 1. */
export const tries = Number(asked);
