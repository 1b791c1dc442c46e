import type { Configuration } from '@kubernetes/client-node';
import type { Clock } from '../edges.ts';

/** What a typed client is asked with besides its parameters. */
type RequestOptions = Pick<Configuration, 'httpApi'>;

/** Makes requests that end: after their time, or when nobody wants the answer any more. */
export type TimedRequest = <T>(
  ask: (options: RequestOptions) => Promise<T>,
  signal: AbortSignal | undefined,
  contentType?: string,
) => Promise<T>;

const givenUp = 'the request was given up';

/**
 * The typed clients know neither time limits nor abort signals of their own. The promise settles at the limit whether
 * the connection heeds the signal or not.
 *
 * @param limit milliseconds
 */
export function timedRequests(configuration: Configuration, clock: Clock, limit: number): TimedRequest {
  return async (ask, signal, contentType) => {
    if (signal?.aborted) throw new Error(givenUp);
    const ending = new AbortController();
    const { promise: ended, reject } = Promise.withResolvers<never>();
    const end = (error: Error): void => {
      ending.abort(error);
      reject(error);
    };
    const leave = (): void => end(new Error(givenUp));
    const stopTimer = clock.after(limit, () => end(new Error(`no answer within ${limit / 1_000} s`)));
    signal?.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([ended, ask(optionsOf(configuration, ending.signal, contentType))]);
    } finally {
      stopTimer();
      signal?.removeEventListener('abort', leave);
    }
  };
}

function optionsOf({ httpApi }: Configuration, signal: AbortSignal, contentType: string | undefined): RequestOptions {
  return {
    httpApi: {
      send: (request) => {
        request.setSignal(signal);
        if (contentType !== undefined) request.setHeaderParam('Content-Type', contentType);
        return httpApi.send(request);
      },
    },
  };
}
