import { z } from 'zod';

const cap = z.int('must be a whole number').min(1, 'must be at least 1').optional();

/** The `limits` of a source: the most that a file may have, each in the unit of its name. */
export const limitsSchema = z.strictObject({
  /** Of the file as it is given. */
  file_bytes: cap,
  /** Of what a packed file unpacks to. */
  unpacked_bytes: cap,
  /** How many times its own size a packed file may unpack to. */
  expansion: cap,
  /** Records below the header, or lines of a log. */
  rows: cap,
  /** Of one record or one line of a log. */
  record_bytes: cap,
  /** Of one cell, in characters. */
  field_length: cap,
  /** Of the parts of a workbook that are read, unpacked; they are in memory all at once, several times over. */
  workbook_bytes: cap,
  /** Of the sheet that is read. */
  workbook_rows: cap,
});

export type Limits = Required<z.output<typeof limitsSchema>>;

/** The limits of files whose source states no others; a file with more is refused before it fills memory or disk. */
export const usualLimits: Limits = {
  file_bytes: 20_000_000_000,
  unpacked_bytes: 20_000_000_000,
  expansion: 200,
  rows: 50_000_000,
  record_bytes: 1 << 20,
  field_length: 100_000,
  workbook_bytes: 32_000_000,
  workbook_rows: 100_000,
};

/** The limits that a source states, and the usual ones where it states none. */
export function limitsOf(stated: z.output<typeof limitsSchema> | undefined): Limits {
  const given = Object.entries(stated ?? {}).filter(([, value]) => value !== undefined);
  return { ...usualLimits, ...Object.fromEntries(given) };
}
