import type { Dispatcher } from 'undici';
import type { Stop } from '../../edges.ts';
import { ResponseBody } from './response-body.ts';

/** The beginning of a response. */
export interface DispatchedResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: ResponseBody;
}

/** A request, whose signal ends it, and its response while that is read. */
export interface DispatchOptions extends Dispatcher.DispatchOptions {
  readonly signal: AbortSignal;
  /** Called once, when the request takes no connection any more. */
  readonly closed: Stop;
  /** See `PacedReading.found`. */
  readonly found: () => void;
}

/** Informational responses to one request, which only announce another one: servers send one or two. */
const maxInformational = 16;

/**
 * Sends a request, and resolves when its response begins; informational responses are none. Rejects with the reason of
 * the signal, or with the error of undici.
 */
export function dispatch(
  dispatcher: Pick<Dispatcher, 'dispatch'>,
  { signal, closed, found, ...options }: DispatchOptions,
): Promise<DispatchedResponse> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      closed();
      return reject(reasonOf(signal));
    }
    let controller: Dispatcher.DispatchController | undefined;
    let body: ResponseBody | undefined;
    let informational = 0;
    const abort = (): void => {
      const reason = reasonOf(signal);
      // A request that waits for its connection has no controller yet.
      reject(reason);
      controller?.abort(reason);
    };
    const over = (): void => {
      signal.removeEventListener('abort', abort);
      closed();
    };
    signal.addEventListener('abort', abort, { once: true });
    dispatcher.dispatch(options, {
      onRequestStart(started) {
        controller = started;
        if (signal.aborted) abort();
      },
      onResponseStart(started, status, headers) {
        if (status < 200) {
          informational += 1;
          if (informational === maxInformational + 1) started.abort(new Error(announced));
          return;
        }
        found();
        // Parts of what was read with the head, which is mostly more than that.
        started.rawHeaders = null;
        body = new ResponseBody(started);
        resolve({ status, headers, body });
      },
      onResponseData(_, chunk) {
        found();
        body?.push(chunk);
      },
      onResponseEnd() {
        found();
        over();
        body?.end();
      },
      onResponseError(_, error) {
        over();
        reject(error);
        body?.fail(error);
      },
    });
  });
}

const announced = `it announces its answer more than ${maxInformational} times (status 1xx)`;

function reasonOf({ reason }: AbortSignal): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
