import type { JSONRPCMessage, JSONRPCRequest, RequestId, Result } from '@modelcontextprotocol/server';

export type { RequestId, Result };

/** One JSON-RPC message as on the wire, with every member that it came with. */
export type Message = JSONRPCMessage;

/** The `params` of a request or a notification, with unknown members. */
export type Params = NonNullable<JSONRPCRequest['params']>;

/** A request of the other side. */
export interface IncomingRequest {
  readonly id: RequestId;
  readonly method: string;
  readonly params: Params | undefined;
  /** Aborted when the other side cancels the request or disconnects: the response is not needed any more. */
  readonly signal: AbortSignal;
}

/** Options of one message. */
export interface SendOptions<Sender> {
  /** The sender of the request that this message answers or is about; absent for a message that is about none. */
  readonly to?: Sender;
  /** Called when the response to this request can no longer arrive. */
  readonly lost?: () => void;
}
