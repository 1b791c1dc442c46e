import type { JSONRPCMessage, JSONRPCRequest, RequestId, Result } from '@modelcontextprotocol/server';

export type { RequestId, Result };

/** One JSON-RPC message as it travels, with every field it came with. */
export type Message = JSONRPCMessage;

/** What a request or a notification is about; fields nobody here knows stay in it. */
export type Params = NonNullable<JSONRPCRequest['params']>;

/** A request that the other side waits to have answered. */
export interface IncomingRequest {
  readonly id: RequestId;
  readonly method: string;
  readonly params: Params | undefined;
  /** Aborted when the other side cancels the request or is gone: nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** How a message has to be sent. */
export interface SendOptions {
  /** The request of the other side that this message belongs to: it goes where that one's answer goes. */
  readonly relatedTo?: RequestId;
  /** Called when the answer to this request can no longer come. */
  readonly lost?: () => void;
}
