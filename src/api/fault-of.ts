import type { FastifyError } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { PayrunError } from '../errors.ts';
import { ApiFault, type ApiFaultKind } from './fault.ts';

const byStatus: Record<number, ApiFaultKind> = {
  400: 'invalid',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  409: 'conflict',
  413: 'too-large',
  415: 'invalid',
  429: 'too-many',
  503: 'busy',
};

/** How long a client should wait when the database or an import keeps it waiting, in seconds. */
const soon = 5;

/**
 * What a raised fault says to a client: a sentence about the request, never about the machine. `isDefect` marks what
 * nobody has foreseen, which is to be logged.
 */
export function faultOfRequest(cause: unknown): { fault: ApiFault; isDefect: boolean } {
  if (cause instanceof ApiFault) return { fault: cause, isDefect: false };
  if (hasZodFastifySchemaValidationErrors(cause)) {
    const details = cause.validation.map(({ instancePath, message }) => ({
      field: instancePath.replace(/^\//, '').replaceAll('/', '.'),
      message: message ?? 'is not valid',
    }));
    const [first] = details;
    const message = first ? `${first.field || 'The request'}: ${first.message}` : 'The request is not valid.';
    return { fault: new ApiFault('invalid', message, { details }), isDefect: false };
  }
  if (cause instanceof PayrunError)
    return { fault: faultOfPayrun(cause), isDefect: cause.httpStatus === 500 };
  const { statusCode, code } = cause as FastifyError;
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    const kind = byStatus[statusCode] ?? 'invalid';
    return { fault: new ApiFault(kind, sentences[code] ?? 'The request is not valid.'), isDefect: false };
  }
  if (statusCode === 503) return { fault: tooBusy(), isDefect: false };
  return { fault: new ApiFault('failed', 'The request could not be answered.'), isDefect: true };
}

function faultOfPayrun(cause: PayrunError): ApiFault {
  const kind = byStatus[cause.httpStatus];
  if (kind === 'busy') return tooBusy();
  if (kind === undefined) return new ApiFault('failed', 'The request could not be answered.');
  return new ApiFault(kind, cause.message);
}

/** The server can't answer now; what was sent may be sent again. */
export function tooBusy(): ApiFault {
  return new ApiFault('busy', 'The server is busy; nothing was recorded. Send the request again.', {
    retryAfter: soon,
  });
}

const sentences: Record<string, string> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'The body is too large.',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'The content type must be application/json.',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'The body is empty.',
  FST_ERR_NOT_FOUND: 'There is no such address.',
};
