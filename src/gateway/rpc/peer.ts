import { createIncomingRequests, type RequestHandler } from './incoming-requests.ts';
import type { Message, Params, RequestId, RequestOptions, Result, SendOptions } from './model.ts';
import { createOutgoingRequests } from './outgoing-requests.ts';
import { RpcError } from './rpc-error.ts';

/** The transport below a peer and the handlers above it. */
export interface PeerParts<Sender extends Address, Address = Sender> extends RequestHandler<Sender> {
  /** Passes a message to the transport. Rejects when the message could not be sent. */
  send(message: Message, options: SendOptions<Address>): Promise<void>;
  /** Handles a notification of the other side. */
  notification(method: string, params: Params | undefined, sender: Sender): void;
  /** The id of the first request that is sent; those that follow count on. Default 0. */
  readonly firstId?: number;
}

/**
 * One side of a JSON-RPC connection. Unlike the SDK's `Protocol`, it does not validate or change messages: unknown
 * members, `_meta` of later revisions and error codes pass through as they were sent (decision 0004).
 *
 * @template Sender what the transport knows of the sender of a message
 * @template Address what it needs to know to send one
 */
export interface Peer<Sender extends Address, Address = Sender> {
  /**
   * Handles a message. Drops a request whose id is in flight: its response would be taken for that of the first one.
   */
  receive(message: Message, sender: Sender): void;
  /** Returns whether a request of the other side with this id waits for its response. */
  isInFlight(id: RequestId): boolean;
  /** Returns why a further request of the other side would be refused now; `undefined` when there is room for one. */
  refusal(): string | undefined;
  /**
   * Sends a request. Rejects with the {@link RpcError} of the response, with the transport's error when the request
   * could not be sent, or with the signal's reason; in the last case the other side gets `notifications/cancelled`.
   */
  request(method: string, params: Params | undefined, options?: RequestOptions<Sender, Address>): Promise<Result>;
  /**
   * Sends a notification. Drops it when it cannot be sent.
   *
   * @param to the sender of the request that it is about, or where else it goes
   */
  notify(method: string, params?: Params, to?: Address): void;
  /** Aborts the requests of the other side that are in flight, and responds to each with this error. */
  refuse(error: RpcError): void;
  /** Ends the requests of both directions with `reason`. Nothing is sent or received after that. */
  close(reason: Error): void;
}

/** Speaks JSON-RPC over a transport. */
export function createPeer<Sender extends Address, Address = Sender>(
  parts: PeerParts<Sender, Address>,
): Peer<Sender, Address> {
  let closed: Error | undefined;

  const send = async (message: Message, options: SendOptions<Address>): Promise<void> => {
    if (closed !== undefined) throw closed;
    await parts.send(message, options);
  };

  const outgoing = createOutgoingRequests<Sender, Address>(send, parts.firstId);
  const incoming = createIncomingRequests(parts, send);

  return {
    receive(message, sender) {
      if (closed !== undefined) return;
      if ('method' in message) {
        if ('id' in message) incoming.receive(message.id, message.method, message.params, sender);
        else if (message.method === 'notifications/cancelled') incoming.cancel(message.params);
        else parts.notification(message.method, message.params, sender);
      } else if ('result' in message) {
        outgoing.answered(message.id, message.result, sender);
      } else {
        const { error } = message;
        outgoing.answered(message.id, new RpcError(error.code, error.message, error), sender);
      }
    },
    isInFlight: incoming.has,
    refusal: incoming.refusal,
    refuse: incoming.refuse,
    request: outgoing.request,
    notify(method, params, to) {
      const options = to === undefined ? {} : { to };
      const message: Message = { jsonrpc: '2.0', method, ...(params === undefined ? {} : { params }) };
      void send(message, options).catch(() => {});
    },
    close(reason) {
      if (closed !== undefined) return;
      closed = reason;
      outgoing.close(reason);
      incoming.close(reason);
    },
  };
}
