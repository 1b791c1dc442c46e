import {
  isJSONRPCErrorResponse,
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
} from '@modelcontextprotocol/server';
import { type AnsweringParts, createAnswering } from './incoming-requests.ts';
import type { Message, Params, RequestId, Result, SendOptions } from './model.ts';
import { createAsking } from './outgoing-requests.ts';
import { RpcError } from './rpc-error.ts';

/** What a peer needs of the side it stands on. */
export interface PeerParts<From> extends AnsweringParts<From> {
  /** Hands a message to the transport; rejects when it did not get there. */
  send(message: Message, options: SendOptions): Promise<void>;
  notification(method: string, params: Params | undefined, from: From): void;
}

/**
 * One side of a JSON-RPC connection. Unlike the SDK's, it changes nothing on the way: unknown members, `_meta` of later
 * revisions and error codes arrive as they were sent, which is what a gateway owes to both sides.
 */
export interface Peer<From> {
  receive(message: Message, from: From): void;
  /**
   * Sends a request. Rejects with the {@link RpcError} that is the answer, with the transport's error when it could not
   * be sent, and with the signal's reason when that is aborted; the other side is told then.
   */
  request(method: string, params: Params | undefined, signal?: AbortSignal): Promise<Result>;
  /** Sends a notification; one that cannot be delivered is lost. */
  notify(method: string, params?: Params, relatedTo?: RequestId): void;
  /** Requests in either direction end with `reason`; nothing is sent from here on. */
  close(reason: Error): void;
}

/** Speaks JSON-RPC over a transport. */
export function createPeer<From>(parts: PeerParts<From>): Peer<From> {
  let closed: Error | undefined;

  const send = async (message: Message, options: SendOptions): Promise<void> => {
    if (closed !== undefined) throw closed;
    await parts.send(message, options);
  };

  const asking = createAsking(send);
  const answering = createAnswering(parts, send);

  return {
    receive(message, from) {
      if (closed !== undefined) return;
      if (isJSONRPCRequest(message)) {
        answering.receive(message.id, message.method, message.params, from);
      } else if (isJSONRPCResultResponse(message)) {
        asking.settle(message.id, message.result);
      } else if (isJSONRPCErrorResponse(message)) {
        const { code, message: text, data } = message.error;
        asking.settle(message.id, new RpcError(code, text, data));
      } else if (isJSONRPCNotification(message)) {
        if (message.method === 'notifications/cancelled') answering.cancel(message.params);
        else parts.notification(message.method, message.params, from);
      }
    },
    request: asking.request,
    notify(method, params, relatedTo) {
      const options = relatedTo === undefined ? {} : { relatedTo };
      const message: Message = { jsonrpc: '2.0', method, ...(params === undefined ? {} : { params }) };
      // Whoever is not there to read it does not miss it.
      void send(message, options).catch(() => {});
    },
    close(reason) {
      if (closed !== undefined) return;
      closed = reason;
      asking.close(reason);
      answering.close(reason);
    },
  };
}
