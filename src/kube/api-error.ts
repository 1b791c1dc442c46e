import { findStrings } from '../json/find-strings.ts';
import { asJsonObject, objectIn, textIn } from '../json/json.ts';
import { shortened } from '../json/quoted.ts';
import type { ApiAnswer, ApiError, StatusError } from './model.ts';

/**
 * The longest wait that a server may ask for, in milliseconds. API servers ask for 1 to 5 s; a proxy may ask for hours,
 * and a grant that was revoked would hold until then. Twice the longest backoff of a reflector.
 */
const maxRetryAfter = 60_000;

/**
 * Reads the response to a request that failed: its status is no 2xx, and its body a `metav1.Status` or a proxy's page.
 * Retry-After may be seconds or a date (RFC 9110, 10.2.3).
 *
 * @param now milliseconds since the epoch
 */
export function responseError({ status, header, body }: ApiAnswer, now: number): StatusError {
  // Not parsed: the body may be cut off, and of any structure.
  const message = findStrings(body, messageOnly).get('message') ?? body;
  return statusError(status, message, retryAfterOf(header('retry-after'), now));
}

/**
 * Reads the `metav1.Status` of an ERROR event of a watch. One without a code is no client error, so it has status 0.
 */
export function watchError(status: unknown): StatusError {
  const seconds = numberIn(objectIn(status, 'details'), 'retryAfterSeconds');
  return statusError(numberIn(status, 'code'), textIn(status, 'message') ?? '', seconds * 1000);
}

const messageOnly: ReadonlySet<string> = new Set(['message']);

/** The error as text for logs: the status code, if there is one, and the message. */
export function apiErrorText(error: ApiError): string {
  if (!('status' in error)) return error.message;
  return `${error.status} ${error.message === '' ? 'without a message' : error.message}`;
}

function statusError(status: number, message: string, retryAfter: number): StatusError {
  return {
    reason: reasonOf(status),
    status,
    message: shortened(message),
    retryAfter: Math.min(Math.max(retryAfter, 0), maxRetryAfter),
  };
}

function reasonOf(status: number): StatusError['reason'] {
  switch (status) {
    case 401:
      return 'unauthorized';
    case 403:
      return 'forbidden';
    case 404:
      return 'not-found';
    case 410:
      return 'expired';
    case 429:
    case 503:
      return 'busy';
    default:
      return 'refused';
  }
}

/** Milliseconds; 0 when there is no header, or an unreadable one. */
function retryAfterOf(header: string | undefined, now: number): number {
  const text = header?.trim() ?? '';
  const wait = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(wait) ? 0 : wait;
}

function numberIn(value: unknown, field: string): number {
  const number = asJsonObject(value)[field];
  return typeof number === 'number' && Number.isFinite(number) ? number : 0;
}
