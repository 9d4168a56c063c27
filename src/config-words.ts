import { z } from 'zod';
import { isZone } from './time.ts';

/** The short name by which people and files speak of something. */
export const ref = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    'must be 1 to 64 letters, digits, ".", "_" or "-", and start with a letter or digit',
  );

export const zone = z.string().refine(isZone, 'is no IANA time zone such as "Europe/Berlin"');

/**
 * A check that looks at several fields together runs beside the faults of single fields too, so that all are told
 * at once; it may meet fields that have none of the shape they should.
 */
export const always = {
  when: ({ value }: { value: unknown }) => typeof value === 'object' && value !== null,
};
