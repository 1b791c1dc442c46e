import type { Clock, Logger, Random } from '../../edges.ts';
import type { Target } from '../../gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import type {
  Caller,
  CallerNaming,
  GatewayConfig,
  GatewayCounters,
  ListMode,
  NameMode,
  TargetFetch,
} from '../model.ts';
import type { IncomingRequest, Message, Params, RequestId, Result } from '../rpc/model.ts';
import type { Capabilities, PassedHeaders, RequestTimeout } from '../upstream/model.ts';

/** Dependencies of all sessions. */
export interface SessionParts {
  readonly config: GatewayConfig;
  readonly fetchFor: (target: Target) => TargetFetch;
  readonly list: ListMode;
  readonly counters: GatewayCounters;
  /** What the metadata names the Gateway by, for decisions in the log. */
  readonly gateway?: string | undefined;
  /** Default `hash`. */
  readonly logCaller?: CallerNaming | undefined;
  /** Requests of all callers that one target may have open. Default: not limited. */
  readonly maxTargetRequests?: number | undefined;
  /** Default `qualified`. */
  readonly names?: NameMode | undefined;
  /** The headers of clients that targets get, in lower case. Default: none. */
  readonly passHeaders?: readonly string[] | undefined;
  /**
   * Milliseconds that a target has for a response, from the request or from the last progress. Default 10 minutes: MCP
   * SDKs give up and cancel after one, and hosts that wait longer have tools that work for minutes.
   */
  readonly callTimeout?: number | undefined;
  /** The same for one target or method; `undefined` when it has no time of its own. */
  readonly callTimeoutOf?: ((target: string, method: string) => RequestTimeout | undefined) | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/**
 * Decides whether a caller may have a message. Called when the message is delivered, which may be later than it was
 * sent: by then rules and claims may be others.
 */
export interface MayReceive {
  (caller: Caller): boolean;
  /** Of what it holds, if that is much: it is kept as long as the message. */
  readonly bytes?: number;
}

/**
 * Returns what a caller may have of a result, when it is delivered later than it was made: a list without what the
 * caller may not know by then. By default a result is delivered as a whole, or not at all.
 */
export type PartOf = (result: Result, reader: Caller) => Result;

/** A stream to a client. */
export interface ClientStream {
  /**
   * Reads the stream. What is sent on it is decided by the claims of this caller, when it is sent. `undefined` while
   * nobody reads it: what is sent is kept then, within limits, for the next reader.
   */
  readonly reader: Caller | undefined;
  /**
   * Sends a message that {@link reader} may have now, and keeps it for a client that resumes the stream. Throws when
   * the message cannot be serialized.
   *
   * @param mayReceive decides about a later reader of the stream
   * @param partOf see {@link PartOf}
   */
  send(message: Message, mayReceive: MayReceive, partOf?: PartOf): void;
}

/** The sender of one message, with the stream for everything that the message causes. */
export interface Sender extends ClientStream {
  /** The sender. Requests are authorized by its claims. */
  readonly caller: Caller;
  /** The headers `mcp-param-*` of the request, from MCP 2026-07-28 on: they have to say what its arguments say. */
  readonly paramHeaders?: Readonly<Record<string, unknown>> | undefined;
  /** The headers of the request that targets get, by name in lower case. They may be credentials. */
  readonly passedHeaders?: PassedHeaders | undefined;
  /** Called once for each request of the message, when no response will be sent on the stream any more. */
  settled(): void;
  /** Closes the stream for now, as a target has done with its own: a client that can resume it asks again. */
  pause?(): void;
}

/** The session of one client, over any transport. */
export interface Session {
  /** @param sender of this message, whose caller may differ from the one that opened the session */
  receive(message: Message, sender: Sender): void;
  /** Returns whether a request with this id waits for its response. The transport must refuse another one. */
  isInFlight(id: RequestId): boolean;
  /**
   * Returns why a further request would be refused now; `undefined` when there is room for one. A transport may refuse
   * it itself, before it prepares anything for a response.
   */
  refusal(): string | undefined;
  /** The negotiated MCP revision; `undefined` before the handshake. */
  protocolVersion(): string | undefined;
  /** Aborts all requests and ends the sessions with targets. Resolves when those are terminated. */
  close(): Promise<void>;
}

/** A client of a revision without handshake. */
export interface StatelessClient {
  readonly version: string;
  readonly capabilities: Capabilities;
  /** Of the caller, whose tasks outlive the session; see `callerKey`. */
  readonly key: string;
}

/** How a client knows tasks: those of MCP 2025-11-25, or those of the extension of MCP 2026-07-28. */
export type TaskForm = '2025-11-25' | 'extension';

/** The transport of one client, as its session uses it. */
export interface ClientTransport {
  /** Absent for a client that begins with `initialize`. */
  readonly client?: StatelessClient;
  /** The stream for messages that no request has caused; `undefined` when there can be none, so they are dropped. */
  stream(): ClientStream | undefined;
}

/** A request of the client with its sender. */
export interface ClientRequest extends IncomingRequest {
  /** Authorization is about this caller, who is that of {@link sender}. */
  readonly caller: Caller;
  readonly sender: Sender;
  /**
   * Sets who may have the response if it is delivered later, to somebody who resumes its stream. By default that is a
   * caller with the same claims, as long as the rules are the same.
   */
  decides(mayReceive: MayReceive, partOf?: PartOf): void;
}

/** The client of a session, as the receiver of notifications and of requests of targets. */
export interface Client {
  /** Reads the stream of the session now. */
  reader(): Caller | undefined;
  /**
   * Sends a notification, unless the caller who would read it may not have it now, or has a token that has expired.
   *
   * @param mayReceive decides about this caller, and about whoever resumes the stream: kept as long as the message
   * @param to the sender of the request that the notification is about; by default the stream of the session
   */
  notify(notification: Notification, mayReceive: MayReceive, to?: Sender): void;
  /**
   * Sends a request. Rejects when nobody who may have it reads the stream, with the client's error response, and when
   * the answer comes from a caller who may not have had the request.
   *
   * @param to see {@link notify}
   */
  request(request: OutgoingRequest, mayReceive: MayReceive, to?: Sender): Promise<Result>;
}

/** A request for a client. */
interface OutgoingRequest {
  readonly method: string;
  readonly params: Params | undefined;
  readonly signal: AbortSignal;
}

/** A notification for a client. */
interface Notification {
  readonly method: string;
  readonly params?: Params | undefined;
}
