import { type Server, type ServerDuplexStream, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import type { Logger } from '../../edges.ts';

/**
 * An error in a request of an operator, sent as the status of the call. The message says how to correct the request.
 */
export class RequestError extends Error {
  /** The property from which grpc-js takes the status. */
  readonly code: status;

  constructor(code: 'INVALID_ARGUMENT' | 'RESOURCE_EXHAUSTED' | 'INTERNAL', message: string) {
    super(message);
    this.name = 'RequestError';
    this.code = status[code];
  }
}

/**
 * Answers the requests of one call, from bytes to bytes. It may return early once `isWanted` returns false: the call is
 * cancelled then.
 */
export type CallHandler = (request: Buffer, isWanted: () => boolean) => Buffer | Promise<Buffer>;

/** The methods of a service, by path. */
export interface MethodPaths {
  readonly unary: readonly string[];
  readonly streams: readonly string[];
}

/**
 * Registers methods whose code is loaded with the first request: few starts ever need it, and each would read it. A
 * request that arrives meanwhile waits for it.
 *
 * @param load called until it has succeeded; the function that it resolves to is called for each call
 */
export function registerOnDemand(
  server: Server,
  { unary, streams }: MethodPaths,
  load: () => Promise<() => CallHandler>,
  log: Logger,
): void {
  let loading: Promise<() => CallHandler> | undefined;
  const handlerOfCall = (): ((...request: Parameters<CallHandler>) => Promise<Buffer>) => {
    let handler: CallHandler | undefined;
    return async (request, isWanted) => {
      loading ??= load().catch((error: unknown) => {
        // Such as without a free descriptor: the next request tries again.
        loading = undefined;
        throw error;
      });
      const create = await loading;
      handler ??= create();
      return handler(request, isWanted);
    };
  };
  for (const path of unary) {
    const handle = (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>): void => {
      handlerOfCall()(call.request, () => !call.cancelled).then(
        (response) => done(null, response),
        (error: unknown) => done(asStatus(error, log)),
      );
    };
    server.register(path, handle, asIs, asIs, 'unary');
  }
  for (const path of streams) {
    const handle = (call: ServerDuplexStream<Buffer, Buffer>): void => respondToEach(call, handlerOfCall(), log);
    server.register(path, handle, asIs, asIs, 'bidi');
  }
}

const asIs = (bytes: Buffer): Buffer => bytes;

/** Decodes a request. @throws RequestError for bytes that are none, with the status that gRPC has for it */
export function decodeRequest<Request>(decode: (bytes: Buffer) => Request, bytes: Buffer): Request {
  try {
    return decode(bytes);
  } catch {
    throw new RequestError('INTERNAL', 'the request cannot be decoded');
  }
}

/**
 * Sends one response per request of a stream, in order. The next request is read when the previous response was
 * written, so a client that sends without reading occupies the memory of one response.
 */
function respondToEach(call: ServerDuplexStream<Buffer, Buffer>, handler: CallHandler, log: Logger): void {
  const respond = async (request: Buffer): Promise<void> => {
    try {
      const response = await handler(request, () => !call.cancelled);
      if (call.cancelled) return;
      call.write(response, () => call.resume());
    } catch (error) {
      // The way to end a call with a status in grpc-js. The stream stays paused, so no further request is read.
      call.emit('error', asStatus(error, log));
    }
  };
  let answered = Promise.resolve();
  call.on('data', (request: Buffer) => {
    call.pause();
    answered = respond(request);
  });
  // Reported with the last request, which is not answered yet.
  call.on('end', () => void answered.then(() => call.end()));
}

/** Returns the status for an error of a handler: a RequestError as it is, any other is logged and sent as INTERNAL. */
function asStatus(error: unknown, log: Logger): RequestError | { readonly code: status; readonly details: string } {
  if (error instanceof RequestError) return error;
  log.error('an operator could not be answered', { error });
  return Object.assign(new Error(internalError), { code: status.INTERNAL, details: internalError });
}

const internalError = 'the control plane failed; see its log';
