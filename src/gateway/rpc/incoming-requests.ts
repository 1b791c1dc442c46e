import type { IncomingRequest, Message, Params, RequestId, Result, SendOptions } from './model.ts';
import { errorCode, errorObjectOf, RpcError } from './rpc-error.ts';

/** The handler of incoming requests, and its limit. `Sender` is what the transport knows of the sender of a message. */
export interface RequestHandler<Sender> {
  /** Handles a request. A thrown error becomes the error response. */
  request(request: IncomingRequest, sender: Sender): Promise<Result>;
  /**
   * Called once for each request that was received, when no response will be sent any more: it was sent, or the other
   * side has cancelled the request, or the connection is closed.
   */
  settled?(sender: Sender): void;
  /** Requests in flight at the same time; further ones are refused. */
  readonly maxInFlight: number;
}

/** The requests of the other side that are in flight. */
export interface IncomingRequests<Sender> {
  receive(id: RequestId, method: string, params: Params | undefined, sender: Sender): void;
  has(id: RequestId): boolean;
  /** Returns why a further request would be refused now; `undefined` when there is room for one. */
  refusal(): string | undefined;
  /** Handles `notifications/cancelled` of the other side. */
  cancel(params: Params | undefined): void;
  /** Aborts all requests, and responds to each with this error. */
  refuse(error: RpcError): void;
  /** Aborts all requests without sending responses. */
  close(reason: Error): void;
}

/** A request that waits for its response. */
interface InFlight<Sender> {
  readonly abort: AbortController;
  readonly sender: Sender;
}

/**
 * Sends exactly one response to each request, unless the request is cancelled. The response goes to the sender of the
 * request; the id, which the other side chooses, only says which request a cancellation is about.
 */
export function createIncomingRequests<Sender>(
  handler: RequestHandler<Sender>,
  send: (message: Message, options: SendOptions<Sender>) => Promise<void>,
): IncomingRequests<Sender> {
  const inFlight = new Map<RequestId, InFlight<Sender>>();

  const sendError = (id: RequestId, code: number, message: string, to: Sender): Promise<void> =>
    send({ jsonrpc: '2.0', id, error: { code, message } }, { to }).catch(() => {});

  const handle = async (request: IncomingRequest, { abort, sender }: InFlight<Sender>): Promise<void> => {
    const { id } = request;
    let response: Message;
    try {
      response = { jsonrpc: '2.0', id, result: await handler.request(request, sender) };
    } catch (error) {
      response = { jsonrpc: '2.0', id, error: errorObjectOf(error) };
    }
    if (abort.signal.aborted) return;
    inFlight.delete(id);
    // A result that cannot be serialized, because it is nested too deep, must get a response as well.
    await send(response, { to: sender }).catch(() => {
      return sendError(id, errorCode.internalError, 'Internal error', sender);
    });
    handler.settled?.(sender);
  };

  const refusal = (): string | undefined =>
    inFlight.size < handler.maxInFlight ? undefined : `More than ${handler.maxInFlight} requests in flight`;

  return {
    has: (id) => inFlight.has(id),
    refusal,
    receive(id, method, params, sender) {
      const refused = refusal();
      if (inFlight.has(id)) {
        handler.settled?.(sender);
      } else if (refused !== undefined) {
        void sendError(id, errorCode.unavailable, refused, sender).then(() => handler.settled?.(sender));
      } else {
        const waiting: InFlight<Sender> = { abort: new AbortController(), sender };
        inFlight.set(id, waiting);
        void handle({ id, method, params, signal: waiting.abort.signal }, waiting);
      }
    },
    cancel(params) {
      const id = params?.['requestId'];
      if (typeof id !== 'string' && typeof id !== 'number') return;
      const waiting = inFlight.get(id);
      if (waiting === undefined) return;
      inFlight.delete(id);
      const reason = params?.['reason'];
      waiting.abort.abort(new RpcError(errorCode.invalidRequest, typeof reason === 'string' ? reason : 'cancelled'));
      handler.settled?.(waiting.sender);
    },
    refuse(error) {
      const waiting = [...inFlight];
      inFlight.clear();
      for (const [id, { abort, sender }] of waiting) {
        abort.abort(error);
        void sendError(id, error.code, error.message, sender).then(() => handler.settled?.(sender));
      }
    },
    close(reason) {
      const waiting = [...inFlight.values()];
      inFlight.clear();
      for (const { abort, sender } of waiting) {
        abort.abort(reason);
        handler.settled?.(sender);
      }
    },
  };
}
