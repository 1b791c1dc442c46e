import type { Clock } from '../../edges.ts';
import type { JsonObject } from '../../json/json.ts';
import type { ApiRequest, KubeConnection } from '../../kube/model.ts';
import { noAnswer, objectOf, type Refusal, readRefusal } from './api-answer.ts';

/** What asking needs of a connection. */
export type AskConnection = Pick<KubeConnection, 'ask'>;

/** A request about one object, answered with that object. A PATCH is a JSON merge patch (RFC 7386). */
interface ObjectRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  readonly path: string;
  readonly body?: unknown;
}

/**
 * Makes requests that end: after their time, or when nobody wants the answer any more. Never rejects.
 *
 * @param read makes of the object in the answer what the caller wants; what it throws is an answer not understood
 */
export type TimedRequest = <T>(
  request: ObjectRequest,
  signal: AbortSignal | undefined,
  read: (object: JsonObject) => T,
) => Promise<T | Refusal>;

const givenUp = 'the request was given up';

/** @param limit milliseconds, less than a connection has of its own */
export function timedRequests(connection: AskConnection, clock: Clock, limit: number): TimedRequest {
  return async (request, signal, read) => {
    if (signal?.aborted) return noAnswer(new Error(givenUp));
    const ending = new AbortController();
    const leave = (): void => ending.abort(new Error(givenUp));
    const stopTimer = clock.after(limit, () => ending.abort(new Error(`no answer within ${limit / 1_000} s`)));
    signal?.addEventListener('abort', leave, { once: true });
    try {
      const answer = await connection.ask({ ...written(request), signal: ending.signal });
      const succeeded = answer.status >= 200 && answer.status < 300;
      return succeeded ? read(objectOf(answer.body)) : readRefusal(answer);
    } catch (error) {
      return noAnswer(error);
    } finally {
      stopTimer();
      signal?.removeEventListener('abort', leave);
    }
  };
}

function written({ method, path, body }: ObjectRequest): ApiRequest {
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  if (body === undefined) return { method, path };
  return { method, path, headers: { 'content-type': type }, body: JSON.stringify(body) };
}
