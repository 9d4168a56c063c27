import { z } from 'zod';

/** Pages by number, as all lists have them. */
export const paging = {
  page: z.coerce.number<string>().int().min(1).max(1_000_000).default(1).describe('From 1.'),
  limit: z.coerce.number<string>().int().min(1).max(100).default(50).describe('At most 100.'),
};

const pagination = z.object({
  page: z.int(),
  limit: z.int(),
  total: z.int(),
  totalPages: z.int(),
  hasMore: z.boolean(),
});

export function pageOf<Row extends z.ZodType>(row: Row) {
  return z.object({ data: z.array(row), pagination });
}

/** A page of `total` rows. */
export function paged<Row>(data: Row[], { page, limit }: { page: number; limit: number }, total: number) {
  const totalPages = Math.ceil(total / limit);
  return { data, pagination: { page, limit, total, totalPages, hasMore: page < totalPages } };
}

/** A page of rows that are all at hand. */
export function pagedOf<Row>(rows: Row[], choice: { page: number; limit: number }) {
  const start = (choice.page - 1) * choice.limit;
  return paged(rows.slice(start, start + choice.limit), choice, rows.length);
}
