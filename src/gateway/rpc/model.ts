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

/** Options of one request to the other side. */
export interface RequestOptions<Sender extends Address, Address = Sender>
  extends Pick<SendOptions<Address>, 'to' | 'paused' | 'headers' | 'arriving'> {
  /** Aborted when the response is not needed any more. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the id of the request before it is sent. */
  readonly sent?: (id: RequestId) => void;
  /** Decides whether a sender may answer the request; otherwise the request is rejected. By default every one may. */
  readonly mayAnswer?: (sender: Sender) => boolean;
}

/** The size of a message as it was counted while it arrived. */
export interface MessageSize {
  readonly bytes: number;
  /** Values and keys of the JSON. */
  readonly values: number;
}

/**
 * Called with the size of the response to a request as far as it has arrived, before it is parsed. What it throws ends
 * the response. Not every transport calls it.
 */
export type Arriving = (size: MessageSize) => void;

/** Options of one message. */
export interface SendOptions<Address> {
  /** The sender of the request that this message answers, or where else it goes; absent when there is one way only. */
  readonly to?: Address;
  /** Called when the response to this request can no longer arrive. */
  readonly lost?: () => void;
  /** Called when the other side has closed the stream of the response, which it continues later. */
  readonly paused?: (() => void) | undefined;
  readonly arriving?: Arriving | undefined;
  /** Of the HTTP request that carries the message, where one does; by name in lower case. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}
