import type { Clock } from '../../edges.ts';
import { parseBoundedJson } from '../../json/bounded-json.ts';
import { isJsonObject, type JsonObject } from '../../json/json.ts';
import { responseError } from '../../kube/api-error.ts';
import type { ApiAnswer, ApiRequest, KubeConnection } from '../../kube/model.ts';
import { objectBounds } from '../../kube/object-limits.ts';
import { within } from '../../net/deadline.ts';
import { type RequestError, requestError } from './request-error.ts';

/** The part of a connection that object requests use. */
export type AskConnection = Pick<KubeConnection, 'ask' | 'onSuccess'>;

/** A request about one object; the response holds that object. The body of a PATCH is a JSON merge patch (RFC 7386). */
interface ObjectRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  readonly path: string;
  readonly body?: unknown;
}

/**
 * Sends a request and decodes the object in the response. Never rejects.
 *
 * @param signal cancels the request; the result is `unavailable` then
 * @param decode decodes the object; an error that it throws makes the result `unavailable`
 */
export type SendObjectRequest = <T>(
  request: ObjectRequest,
  signal: AbortSignal | undefined,
  decode: (object: JsonObject) => T,
) => Promise<T | RequestError>;

/** @param timeout milliseconds for each request; less than the connection's own */
export function objectRequests(
  connection: Pick<AskConnection, 'ask'>,
  clock: Clock,
  timeout: number,
): SendObjectRequest {
  return async (request, signal, decode) => {
    let response: ApiAnswer;
    try {
      signal?.throwIfAborted();
      response = await within({ clock, milliseconds: timeout, signal }, (limited) =>
        connection.ask({ ...encoded(request), signal: limited }),
      );
    } catch (cause) {
      return requestError({ reason: 'unreachable', message: messageOf(cause) });
    }
    if (response.status < 200 || response.status >= 300) return requestError(responseError(response, clock.now()));
    try {
      return decode(responseObject(response.body));
    } catch (cause) {
      return requestError({ reason: 'unintelligible', message: messageOf(cause) });
    }
  };
}

/** @throws Error when the body of a successful response is no JSON object, or has more values than any */
function responseObject(body: string): JsonObject {
  const parsed = parseBoundedJson(body, objectBounds);
  if (parsed.kind !== 'json' || !isJsonObject(parsed.value)) throw new Error('the answer is no object');
  return parsed.value;
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : 'no answer';
}

function encoded({ method, path, body }: ObjectRequest): ApiRequest {
  if (body === undefined) return { method, path };
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  return { method, path, headers: { 'content-type': type }, body: JSON.stringify(body) };
}

/**
 * Returns the path of an object or a collection: `/apis/<group>/<version>/<segments>`, each segment percent-encoded.
 */
export function apiPath(apiVersion: string, ...segments: readonly string[]): string {
  return ['/apis', ...[...apiVersion.split('/'), ...segments].map(encodeURIComponent)].join('/');
}

/** The JSON form of an object of a typed client: times are text. */
export type AsJson<T> = T extends Date
  ? string
  : T extends object
    ? { readonly [Field in keyof T]: AsJson<T[Field]> }
    : T;

/**
 * Formats a `metav1.MicroTime`: RFC 3339 with exactly six digits after the point. The API server refuses the three of
 * `toISOString`.
 *
 * @param at milliseconds since the epoch
 */
export function microTime(at: number): string {
  return new Date(at).toISOString().replace('Z', '000Z');
}
