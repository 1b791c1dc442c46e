import { type Server, type ServerDuplexStream, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import type { Logger } from '../../edges.ts';
import { FairTurns } from '../../rate/fair-turns.ts';
import type { Quota } from '../../rate/quota.ts';

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

/** An answer that is being made. */
export interface Answering {
  /** Returns false when the call is cancelled: its answer may end anywhere then. */
  readonly isWanted: () => boolean;
  /**
   * Says how long the answer is so far, before it is longer.
   *
   * @throws RequestError when all answers together, those that are not read included, have no room for it
   */
  readonly hold: (bytes: number) => void;
  /** Resolves when the next part may be made: one in each iteration of the event loop, of all calls in turn. */
  readonly turn: () => Promise<void>;
}

/** Answers the requests of one call, from bytes to bytes. */
export type CallHandler = (request: Buffer, answering: Answering) => Buffer | Promise<Buffer>;

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
 * @param answers bytes of the answers of all calls, from their first one until their clients have taken them
 */
export function registerOnDemand(
  server: Server,
  { unary, streams }: MethodPaths,
  load: () => Promise<() => CallHandler>,
  parts: Pick<Shared, 'log' | 'answers'>,
): void {
  const shared: Shared = { ...parts, turns: new FairTurns() };
  let loading: Promise<() => CallHandler> | undefined;
  const handlerOfCall = (): ((...request: Parameters<CallHandler>) => Promise<Buffer>) => {
    let handler: CallHandler | undefined;
    return async (request, answering) => {
      loading ??= load().catch((error: unknown) => {
        // Such as without a free descriptor: the next request tries again.
        loading = undefined;
        throw error;
      });
      const create = await loading;
      handler ??= create();
      const answer = await handler(request, answering);
      answering.hold(answer.length);
      return answer;
    };
  };
  for (const path of unary) {
    const handle = (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>): void => {
      handlerOfCall()(call.request, new CallAnswer(call, shared)).then(
        (response) => done(null, response),
        (error: unknown) => done(asStatus(error, shared.log)),
      );
    };
    server.register(path, handle, asIs, asIs, 'unary');
  }
  for (const path of streams) {
    const handle = (call: ServerDuplexStream<Buffer, Buffer>): void => respondToEach(call, handlerOfCall(), shared);
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
function respondToEach(call: ServerDuplexStream<Buffer, Buffer>, handler: CallHandler, shared: Shared): void {
  const answer = new CallAnswer(call, shared);
  const respond = async (request: Buffer): Promise<void> => {
    try {
      const response = await handler(request, answer);
      if (call.cancelled) return;
      call.write(response, () => {
        answer.release();
        call.resume();
      });
    } catch (error) {
      answer.release();
      // The way to end a call with a status in grpc-js. The stream stays paused, so no further request is read.
      call.emit('error', asStatus(error, shared.log));
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

type Call = ServerUnaryCall<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;

/** What the answers of all calls share. */
interface Shared {
  readonly log: Logger;
  readonly answers: Quota;
  readonly turns: FairTurns;
}

/** The answer of one call, with the bytes that it holds of those of all. */
class CallAnswer implements Answering {
  readonly #call: Call;
  readonly #shared: Shared;
  #bytes = 0;

  constructor(call: Call, shared: Shared) {
    this.#call = call;
    this.#shared = shared;
    // Emitted when the stream is closed, however it ended.
    call.once('cancelled', () => this.release());
  }

  readonly isWanted = (): boolean => !this.#call.cancelled;

  readonly hold = (bytes: number): void => {
    const more = bytes - this.#bytes;
    if (this.#call.cancelled || more <= 0) return;
    if (!this.#shared.answers.acquire('', more)) throw new RequestError('RESOURCE_EXHAUSTED', notRead);
    this.#bytes = bytes;
  };

  readonly turn = (): Promise<void> => this.#shared.turns.next(this.#call.getPeer());

  release(): void {
    this.#shared.answers.release('', this.#bytes);
    this.#bytes = 0;
  }
}

const notRead = 'too many answers are being sent and not read: read them, and try again';

/** Returns the status for an error of a handler: a RequestError as it is, any other is logged and sent as INTERNAL. */
function asStatus(error: unknown, log: Logger): RequestError | { readonly code: status; readonly details: string } {
  if (error instanceof RequestError) return error;
  log.error('an operator could not be answered', { error });
  return Object.assign(new Error(internalError), { code: status.INTERNAL, details: internalError });
}

const internalError = 'the control plane failed; see its log';
