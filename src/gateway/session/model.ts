import type { Clock, Logger, Random } from '../../edges.ts';
import type { Target } from '../../gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import type { Caller, GatewayConfig, ListMode, TargetFetch } from '../model.ts';
import type { IncomingRequest, Message, Params, RequestId, SendOptions } from '../rpc/model.ts';

/** Dependencies of all sessions. */
export interface SessionParts {
  readonly config: GatewayConfig;
  readonly fetchFor: (target: Target) => TargetFetch;
  readonly list: ListMode;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** The session of one client, over any transport. */
export interface Session {
  /** @param caller the sender of this message, who may differ from the one that opened the session */
  receive(message: Message, caller: Caller): void;
  /** The negotiated MCP revision; `undefined` before the handshake. */
  protocolVersion(): string | undefined;
  /** Aborts all requests and ends the sessions with targets. Resolves when those are terminated. */
  close(): Promise<void>;
}

/** The transport of one client, as its session uses it. */
export interface ClientTransport {
  /** Sends a message. Rejects when it could not be sent. */
  send(message: Message, options: SendOptions): Promise<void>;
  /** Called when the client has cancelled a request: no response will be sent. */
  cancelled?(id: RequestId): void;
}

/** A request of the client with its sender. Authorization is about this sender. */
export interface ClientRequest extends IncomingRequest {
  readonly caller: Caller;
}

/** The client of a session, as the receiver of notifications. */
export interface Client {
  /** @param relatedTo the client's request that the notification is about: it is sent on that request's stream */
  notify(method: string, params?: Params, relatedTo?: RequestId): void;
}
