import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import type { Logger } from '../../edges.ts';

/**
 * An error in a request of an operator, sent as the status of the call. The message says how to correct the request.
 */
export class RequestError extends Error {
  /** The property from which grpc-js takes the status. */
  readonly code: status;

  constructor(code: 'INVALID_ARGUMENT' | 'RESOURCE_EXHAUSTED', message: string) {
    super(message);
    this.name = 'RequestError';
    this.code = status[code];
  }
}

/** Handles one request. It may return early once `isWanted` returns false: the call is cancelled then. */
export type Handler<Request, Response> = (request: Request, isWanted: () => boolean) => Response | Promise<Response>;

/**
 * Sends one response per request of a stream, in order. The next request is read when the previous response was
 * written, so a client that sends without reading occupies the memory of one response.
 */
export function respondToEach<Request, Response>(
  call: ServerDuplexStream<Request, Response>,
  handler: Handler<Request, Response>,
  log: Logger,
): void {
  const respond = async (request: Request): Promise<void> => {
    try {
      const response = await handler(request, () => !call.cancelled);
      if (call.cancelled) return;
      call.write(response, () => call.resume());
    } catch (error) {
      // The way to end a call with a status in grpc-js. The stream stays paused, so no further request is read.
      call.emit('error', asStatus(error, log));
    }
  };
  call.on('data', (request: Request) => {
    call.pause();
    void respond(request);
  });
  call.on('end', () => call.end());
}

/** Returns the status for an error of a handler: a RequestError as it is, any other is logged and sent as INTERNAL. */
export function asStatus(
  error: unknown,
  log: Logger,
): RequestError | { readonly code: status; readonly details: string } {
  if (error instanceof RequestError) return error;
  log.error('an operator could not be answered', { error });
  return Object.assign(new Error(internalError), { code: status.INTERNAL, details: internalError });
}

const internalError = 'the control plane failed; see its log';
