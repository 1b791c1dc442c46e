import { quoted } from '../../json/quoted.ts';
import type { IncomingRequest, Message, Params, RequestId, Result, SendOptions } from './model.ts';
import { errorCode, errorObjectOf, RpcError } from './rpc-error.ts';

/** The handler of incoming requests, and its limit. `Sender` is what the transport knows of the sender of a message. */
export interface RequestHandler<Sender> {
  /** Handles a request. A thrown error becomes the error response. */
  request(request: IncomingRequest, sender: Sender): Promise<Result>;
  /** Called when the other side has cancelled a request: no response will be sent, so its stream may be closed. */
  cancelled?(id: RequestId): void;
  /** Requests in flight at the same time; further ones are refused. */
  readonly maxInFlight: number;
}

/** The requests of the other side that are in flight. */
export interface IncomingRequests<Sender> {
  receive(id: RequestId, method: string, params: Params | undefined, sender: Sender): void;
  /** Handles `notifications/cancelled` of the other side. */
  cancel(params: Params | undefined): void;
  /** Aborts all requests without sending responses. */
  close(reason: Error): void;
}

/** Sends exactly one response to each request, unless the request is cancelled. */
export function createIncomingRequests<Sender>(
  handler: RequestHandler<Sender>,
  send: (message: Message, options: SendOptions) => Promise<void>,
): IncomingRequests<Sender> {
  const inFlight = new Map<RequestId, AbortController>();

  const sendError = (id: RequestId, code: number, message: string): Promise<void> =>
    send({ jsonrpc: '2.0', id, error: { code, message } }, { relatedTo: id }).catch(() => {});

  const handle = async (request: IncomingRequest, abort: AbortController, sender: Sender): Promise<void> => {
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
    await send(response, { relatedTo: id }).catch(() => sendError(id, errorCode.internalError, 'Internal error'));
  };

  return {
    receive(id, method, params, sender) {
      if (inFlight.has(id)) {
        void sendError(id, errorCode.invalidRequest, `A request with the id ${quoted(String(id))} is in flight`);
      } else if (inFlight.size >= handler.maxInFlight) {
        void sendError(id, errorCode.unavailable, `More than ${handler.maxInFlight} requests in flight`);
      } else {
        const abort = new AbortController();
        inFlight.set(id, abort);
        void handle({ id, method, params, signal: abort.signal }, abort, sender);
      }
    },
    cancel(params) {
      const id = params?.['requestId'];
      if (typeof id !== 'string' && typeof id !== 'number') return;
      const abort = inFlight.get(id);
      if (abort === undefined) return;
      inFlight.delete(id);
      const reason = params?.['reason'];
      abort.abort(new RpcError(errorCode.invalidRequest, typeof reason === 'string' ? reason : 'cancelled'));
      handler.cancelled?.(id);
    },
    close(reason) {
      for (const abort of inFlight.values()) abort.abort(reason);
      inFlight.clear();
    },
  };
}
