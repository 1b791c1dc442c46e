import { isJsonObject, type JsonObject } from '../../json/json.ts';
import type { ApiAnswer } from '../../kube/model.ts';

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

/** Reads an answer that is no success. */
export function readRefusal({ status, header, body }: ApiAnswer): Refusal {
  const words = `${status}: ${serverWords(body) ?? 'without a word'}`;
  switch (status) {
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
      return { kind: 'unavailable', words, retryAfter: retryAfter(header('retry-after')) };
    default:
      return { kind: 'failed', words };
  }
}

const longestWords = 1_000;

/** That nobody knows what became of a request, because of this. */
export function noAnswer(error: unknown): Refusal {
  const words = error instanceof Error ? `no answer: ${error.message}` : 'no answer';
  return { kind: 'unavailable', words: words.slice(0, longestWords), retryAfter: undefined };
}

/** The message of a `metav1.Status`, or the beginning of whatever else a server or a proxy before it says. */
function serverWords(body: string): string | undefined {
  const status = parsed(body);
  const message = isJsonObject(status) ? status['message'] : undefined;
  const words = typeof message === 'string' ? message : body;
  return words === '' ? undefined : words.slice(0, longestWords).toWellFormed();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Only seconds: API servers send no dates. */
function retryAfter(value: string | undefined): number | undefined {
  const seconds = value !== undefined && /^\d+$/.test(value) ? Number(value) : 0;
  return seconds === 0 ? undefined : Math.min(seconds * 1_000, longestRetryAfter);
}

/** @throws Error when the body of an answer is no JSON object */
export function objectOf(body: string): JsonObject {
  const value = parsed(body);
  if (!isJsonObject(value)) throw new Error('the answer is no object');
  return value;
}
