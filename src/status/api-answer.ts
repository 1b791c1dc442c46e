import { isObject, type JsonObject } from './stored-json.ts';

/** Why a request did not do what it should, by what is to follow. */
export type Refusal =
  /** 409: the object is another one by now, or exists already. */
  | { readonly kind: 'conflict'; readonly words: string }
  /** 404 or 410: there is no such object. */
  | { readonly kind: 'gone'; readonly words: string }
  /** 400, 413, 415, 422: the same content will never be accepted. */
  | { readonly kind: 'refused'; readonly words: string }
  /** Something about this object or permission: others may well succeed. */
  | { readonly kind: 'failed'; readonly words: string }
  /** Nobody is served right now. `retryAfter` in milliseconds, when the server asked for it. */
  | { readonly kind: 'unavailable'; readonly words: string; readonly retryAfter: number | undefined };

/** The longest that a server is waited for because it asked for it, in milliseconds. */
const longestRetryAfter = 60_000;

/** Reads what a typed client rejected with: an answer that is no success, or no answer at all. */
export function readRefusal(error: unknown): Refusal {
  const code = isObject(error) ? error['code'] : undefined;
  // An abort has a number in the same place, which is no HTTP status.
  if (!isObject(error) || typeof code !== 'number' || code < 100) {
    return { kind: 'unavailable', words: reason(error), retryAfter: undefined };
  }
  const words = `${code}: ${serverWords(error['body']) ?? 'without a word'}`;
  switch (code) {
    case 409:
      return { kind: 'conflict', words };
    case 404:
    case 410:
      return { kind: 'gone', words };
    case 400:
    case 413:
    case 415:
    case 422:
      return { kind: 'refused', words };
    case 401:
    case 429:
    case 502:
    case 503:
    case 504:
      return { kind: 'unavailable', words, retryAfter: retryAfter(error['headers']) };
    default:
      return { kind: 'failed', words };
  }
}

const longestWords = 1_000;

/** The message of a `metav1.Status`, or the beginning of whatever else a server or a proxy before it says. */
function serverWords(body: unknown): string | undefined {
  const status = typeof body === 'string' ? parsed(body) : body;
  const message = isObject(status) ? status['message'] : undefined;
  const words = typeof message === 'string' ? message : body;
  return typeof words === 'string' && words !== '' ? words.slice(0, longestWords).toWellFormed() : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Only seconds: API servers send no dates. */
function retryAfter(headers: unknown): number | undefined {
  const value: unknown = isObject(headers) ? headers['retry-after'] : undefined;
  const seconds = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : 0;
  return seconds === 0 ? undefined : Math.min(seconds * 1_000, longestRetryAfter);
}

/** Undici says "fetch failed", and what failed in `cause`. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return 'no answer';
  const cause = error.cause instanceof Error && error.cause.message !== '' ? `: ${error.cause.message}` : '';
  return `no answer: ${error.message}${cause}`.slice(0, longestWords);
}

/** @throws Error when an answer is no JSON object: then nobody knows what became of the request. */
export function objectOf(answer: unknown): JsonObject {
  if (!isObject(answer)) throw new Error('the answer is no object');
  return answer;
}
