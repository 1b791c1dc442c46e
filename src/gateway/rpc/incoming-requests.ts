import type { IncomingRequest, Message, Params, RequestId, Result, SendOptions } from './model.ts';
import { errorCode } from './protocol.ts';
import { errorObjectOf, RpcError } from './rpc-error.ts';

/** What answering requests takes. `From` is what is known of their sender. */
export interface AnsweringParts<From> {
  /** Answers a request; what it throws is the answer too. */
  request(request: IncomingRequest, from: From): Promise<Result>;
  /** The other side cancelled this request: it gets no answer, so nothing needs to be kept open for one. */
  abandoned?(id: RequestId): void;
  /** How many requests are worked on at once; further ones are refused. */
  readonly maxInFlight: number;
}

/** The requests of the other side, from their arrival to their answer. */
export interface Answering<From> {
  receive(id: RequestId, method: string, params: Params | undefined, from: From): void;
  /** `notifications/cancelled` of the other side. */
  cancel(params: Params | undefined): void;
  /** Aborts everything; nothing of it is answered. */
  close(reason: Error): void;
}

/** Keeps the requests of the other side, and gives every one exactly one answer unless it is cancelled. */
export function createAnswering<From>(
  parts: AnsweringParts<From>,
  send: (message: Message, options: SendOptions) => Promise<void>,
): Answering<From> {
  const inFlight = new Map<RequestId, AbortController>();

  /** Whoever is not there to read an answer does not miss it. */
  const refuse = (id: RequestId, code: number, message: string): Promise<void> =>
    send({ jsonrpc: '2.0', id, error: { code, message } }, { relatedTo: id }).catch(() => {});

  const answer = async (request: IncomingRequest, abort: AbortController, from: From): Promise<void> => {
    const { id } = request;
    let reply: Message;
    try {
      reply = { jsonrpc: '2.0', id, result: await parts.request(request, from) };
    } catch (error) {
      reply = { jsonrpc: '2.0', id, error: errorObjectOf(error) };
    }
    if (abort.signal.aborted) return;
    inFlight.delete(id);
    // What cannot be put into words, because it is nested too deep, is an answer nevertheless.
    await send(reply, { relatedTo: id }).catch(() => refuse(id, errorCode.internalError, 'Internal error'));
  };

  return {
    receive(id, method, params, from) {
      if (inFlight.has(id)) {
        void refuse(id, errorCode.invalidRequest, `A request with the id ${JSON.stringify(id)} is in flight`);
      } else if (inFlight.size >= parts.maxInFlight) {
        void refuse(id, errorCode.unavailable, `More than ${parts.maxInFlight} requests in flight`);
      } else {
        const abort = new AbortController();
        inFlight.set(id, abort);
        void answer({ id, method, params, signal: abort.signal }, abort, from);
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
      parts.abandoned?.(id);
    },
    close(reason) {
      for (const abort of inFlight.values()) abort.abort(reason);
      inFlight.clear();
    },
  };
}
