import { PayrunError } from '../../errors.ts';

/** Whether another transaction holds what this one needs, or has just committed what this one does again. */
export function isHeld(cause: unknown): boolean {
  const { code } = cause as { code?: unknown };
  return code === '55P03' || code === '40P01' || code === '23505';
}

/** What a request is told that has waited for others as long as it may. */
export function busy(cause: unknown): PayrunError {
  return new PayrunError('busy', 'Another import holds the same sale or customer; nothing was recorded.', {
    cause,
  });
}
