/** What may be wrong with a request; each interface has its own words and status for them. */
export type ApiFaultKind =
  | 'invalid'
  | 'unauthorized'
  | 'forbidden'
  | 'not-found'
  | 'duplicate'
  | 'conflict'
  | 'too-large'
  | 'too-many'
  | 'busy'
  | 'failed';

/** The HTTP status of each. */
export const statusOf: Record<ApiFaultKind, number> = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  duplicate: 409,
  conflict: 409,
  'too-large': 413,
  'too-many': 429,
  busy: 503,
  failed: 500,
};

/** One field of a request that is wrong. */
export interface FieldFault {
  field: string;
  message: string;
}

/** A request that can't be answered as it asks. Sentences speak of the request alone. */
export class ApiFault extends Error {
  readonly kind: ApiFaultKind;
  readonly details: FieldFault[];
  /** Seconds after which it may be tried again. */
  readonly retryAfter: number | undefined;

  constructor(
    kind: ApiFaultKind,
    message: string,
    more: { details?: FieldFault[]; retryAfter?: number } = {},
  ) {
    super(message);
    this.kind = kind;
    this.details = more.details ?? [];
    this.retryAfter = more.retryAfter;
  }
}
