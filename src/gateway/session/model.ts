import type { Clock, Logger, Random } from '../../edges.ts';
import type { Target } from '../../gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import type { Caller, GatewayConfig, ListMode, TargetFetch } from '../model.ts';
import type { IncomingRequest, Message, Params, RequestId } from '../rpc/model.ts';

/** Dependencies of all sessions. */
export interface SessionParts {
  readonly config: GatewayConfig;
  readonly fetchFor: (target: Target) => TargetFetch;
  readonly list: ListMode;
  /**
   * Milliseconds that a target has for a response, from the request or from the last progress. Default 10 minutes: MCP
   * SDKs give up and cancel after one, and hosts that wait longer have tools that work for minutes.
   */
  readonly callTimeout?: number | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** An open stream to a client. */
export interface ClientStream {
  /** Reads the stream. What is sent on it is decided by the claims of this caller, when it is sent. */
  readonly caller: Caller;
  /** Throws when the message cannot be serialized. Drops it when the client has disconnected. */
  send(message: Message): void;
}

/** The sender of one message, with the stream for everything that the message causes. */
export interface Sender extends ClientStream {
  /** Called once for each request of the message, when no response will be sent on the stream any more. */
  settled(): void;
}

/** The session of one client, over any transport. */
export interface Session {
  /** @param sender of this message, whose caller may differ from the one that opened the session */
  receive(message: Message, sender: Sender): void;
  /** Returns whether a request with this id waits for its response. The transport must refuse another one. */
  isInFlight(id: RequestId): boolean;
  /** The negotiated MCP revision; `undefined` before the handshake. */
  protocolVersion(): string | undefined;
  /** Aborts all requests and ends the sessions with targets. Resolves when those are terminated. */
  close(): Promise<void>;
}

/** The transport of one client, as its session uses it. */
export interface ClientTransport {
  /** The stream for messages that no request has caused; `undefined` while none is open, so they are dropped. */
  stream(): ClientStream | undefined;
}

/** A request of the client with its sender. */
export interface ClientRequest extends IncomingRequest {
  /** Authorization is about this caller, who is that of {@link sender}. */
  readonly caller: Caller;
  readonly sender: Sender;
}

/** The client of a session, as the receiver of notifications. */
export interface Client {
  /**
   * Sends a notification, unless the caller who would read it may not have it now, or has a token that has expired.
   *
   * @param mayReceive decides about this caller; called when there is a stream, and kept nowhere
   * @param to the sender of the request that the notification is about; by default the stream of the session
   */
  notify(notification: Notification, mayReceive: (caller: Caller) => boolean, to?: Sender): void;
}

/** A notification for a client. */
interface Notification {
  readonly method: string;
  readonly params?: Params | undefined;
}
