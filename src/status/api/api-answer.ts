import { isJsonObject, type JsonObject, parseJson, textIn } from '../../json/json.ts';
import type { ApiAnswer } from '../../kube/model.ts';

/** A failed request, by what the caller does next. `message` holds the HTTP status and the server's message, for logs. */
export type RequestError =
  /** 409: the object has another resource version by now, or exists already. Read it again. */
  | { readonly kind: 'conflict'; readonly message: string }
  /** 404 or 410: the object does not exist. */
  | { readonly kind: 'gone'; readonly message: string }
  /** 400, 413, 415 or 422: the content is invalid. The same content will be refused again. */
  | { readonly kind: 'refused'; readonly message: string }
  /** Any other status, such as 403 or 500: this object or permission fails, others may succeed. */
  | { readonly kind: 'failed'; readonly message: string }
  /** 401, 429, 502, 503, 504, or no response: stop all requests. `retryAfter` in milliseconds, if the server sent it. */
  | { readonly kind: 'unavailable'; readonly message: string; readonly retryAfter: number | undefined };

/** Maximum wait that a server can ask for, in milliseconds. */
const maxRetryAfter = 60_000;

/** Maximum length of a message, in UTF-16 code units. */
const maxMessage = 1_000;

/** Decodes a response whose status is no 2xx. */
export function requestError({ status, header, body }: ApiAnswer): RequestError {
  const message = `${status}: ${serverMessage(body) || 'without a word'}`;
  switch (status) {
    case 409:
      return { kind: 'conflict', message };
    case 404:
    case 410:
      return { kind: 'gone', message };
    case 400:
    case 413:
    case 415:
    case 422:
      return { kind: 'refused', message };
    case 401:
    case 429:
    case 502:
    case 503:
    case 504:
      return { kind: 'unavailable', message, retryAfter: retryAfter(header('retry-after')) };
    default:
      return { kind: 'failed', message };
  }
}

/** Makes a RequestError of a request without a usable response: the API server may have carried it out or not. */
export function noResponse(cause: unknown): RequestError {
  const message = cause instanceof Error ? `no answer: ${cause.message}` : 'no answer';
  return { kind: 'unavailable', message: message.slice(0, maxMessage), retryAfter: undefined };
}

/**
 * Decodes the body of a successful response.
 *
 * @throws Error when it is no JSON object
 */
export function responseObject(body: string): JsonObject {
  const value = parseJson(body)?.value;
  if (!isJsonObject(value)) throw new Error('the answer is no object');
  return value;
}

/** The message of a `metav1.Status`, or else the beginning of the body, which may be a proxy's HTML. */
function serverMessage(body: string): string {
  const message = textIn(parseJson(body)?.value, 'message') ?? body;
  return message.slice(0, maxMessage).toWellFormed();
}

/** Decodes `Retry-After` in seconds; API servers send no dates. */
function retryAfter(header: string | undefined): number | undefined {
  const seconds = header !== undefined && /^\d+$/.test(header) ? Number(header) : 0;
  return seconds === 0 ? undefined : Math.min(seconds * 1_000, maxRetryAfter);
}
