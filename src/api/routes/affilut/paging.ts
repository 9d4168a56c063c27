import { z } from 'zod';

/** Pages by number, as both lists have them. */
export const paging = {
  page: z.coerce.number<string>().int().min(1).max(1_000_000).default(1).describe('From 1.'),
  limit: z.coerce.number<string>().int().min(1).max(100).default(50).describe('At most 100.'),
};

/** A page of rows, as both lists answer; the oldest come first, so that what comes in meanwhile moves no row to another page. */
export function pageOf<Row extends z.ZodType>(row: Row) {
  return z.object({ data: z.array(row), page: z.int(), limit: z.int() });
}
