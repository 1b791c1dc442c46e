import type { Clock, Random, Stop } from '../../edges.ts';
import type { Target } from '../../gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import type { KeptEntries } from '../../rate/kept-entries.ts';
import type { TargetFetch } from '../model.ts';
import type { Arriving, IncomingRequest, Message, MessageSize, Params, RequestId, Result } from '../rpc/model.ts';
import type { ParamHeaders } from '../rpc/param-headers.ts';
import type { AnswerBudget } from './answer-limits.ts';
import type { RepeatedAnswers } from './transport/repeated-answers.ts';

/**
 * The session with one target on behalf of one client session. Connects on the first request. After a loss it connects
 * again by itself if there is a client, who hears of changes only over a connection.
 */
export interface UpstreamSession {
  /** The target's name, as it was configured: one that a client has sent may be a part of a large text. */
  readonly target: string;
  /**
   * Sends a request, after connecting if necessary. Rejects when neither its response nor progress of it arrives for
   * {@link UpstreamParts.requestTimeout}. If the target no longer knows the session, initializes a new one
   * and repeats the request once, which is safe since the target has not processed it. Rejects with the target's error
   * response, with the signal's reason, or with the connection's error.
   */
  request(method: string, params: Params | undefined, signal: AbortSignal, exchange?: Exchange): Promise<Result>;
  /** Sends a notification, if there is a connection. */
  notify(method: string, params: Params | undefined): void;
  /** The capabilities from the target's handshake, after connecting if necessary. */
  capabilities(signal: AbortSignal): Promise<Capabilities>;
  /** Ends the connection and all requests with `reason`. Resolves when the session at the target is terminated, too. */
  close(reason: Error): Promise<void>;
}

/** A connection to a target that is ready for requests. */
export interface Connection {
  readonly handshake: Handshake;
  request(method: string, params: Params | undefined, signal: AbortSignal, exchange?: Exchange): Promise<Result>;
  notify(method: string, params: Params | undefined): void;
  /** Rejects all requests with `reason` and terminates the session at the target, within a second. */
  close(reason: Error): Promise<void>;
}

/** Told of a connection that was lost after its handshake. */
export type Lost = (reason: Error) => void;

/** What a request to a target is for. */
export interface Exchange {
  /**
   * The number under which the caller of this room knows the request; what arrives on its stream is about it.
   * `undefined` for a list, which is read in the name of the session.
   */
  readonly about: number | undefined;
  /** Called when the target has closed the stream of the response, which it continues later. */
  readonly paused?: (() => void) | undefined;
  readonly arriving?: Arriving | undefined;
  /** What the HTTP request carries of the client's; by name in lower case. */
  readonly headers?: PassedHeaders | undefined;
}

/** Headers of a client's request that the configuration lets pass. They may be credentials. */
export type PassedHeaders = Readonly<Record<string, string>>;

/** The `capabilities` of an `initialize` result. Only the presence of a member is used. */
export type Capabilities = Readonly<Record<string, unknown>>;

/**
 * How a target is spoken with: the two HTTP transports that begin with a handshake, and that of MCP 2026-07-28, which
 * has neither handshake nor session.
 */
export type TransportKind = 'streamable-http' | 'stateless-http' | 'http-sse';

/**
 * What a target that asks for input by its result (MCP 2026-07-28, `input_required`) gets: the client itself handles
 * that result, or is asked as by a target of an earlier revision, or there is no client.
 */
export type InputMode = 'passed on' | 'asked for' | 'refused';

/** A time limit of requests. */
export interface RequestTimeout {
  readonly milliseconds: number;
  /** What sets it, for the error. */
  readonly flag: string;
}

/** The target, and the dependencies of a session with it. */
export interface UpstreamParts {
  readonly target: Target;
  readonly fetch: TargetFetch;
  readonly clock: Clock;
  readonly random: Random;
  readonly memory: TargetMemory;
  /**
   * The time that a target has for the response to a request of this method, from the request or from the last progress
   * that it has reported.
   */
  requestTimeout(method: string): RequestTimeout;
  /** The headers of the last request of the client; absent for a session of the gateway itself. */
  passedHeaders?(): PassedHeaders | undefined;
  /**
   * The same when the connection was opened. What is no request of the client has them: the handshake, lists, the
   * stream of notifications, answers to the target and the end of the session.
   */
  readonly headers?: PassedHeaders | undefined;
  /** The budget for the unfinished messages and lists of all targets, by target. */
  readonly budget: AnswerBudget;
  /** Room for what is kept of the lists of all targets. */
  readonly kept: KeptEntries;
  /** Whether the target can be reached, as all sessions have found out. */
  readonly circuit: Circuit;
  /**
   * Counts a request that is sent beside those of the client, until the returned function is called once. Throws when
   * the target has as many open as it may.
   */
  enter(): Stop;
  /** The capabilities of the client that a target is told of. It may send the requests that they name. */
  readonly clientCapabilities: Capabilities;
  readonly input: InputMode;
  /**
   * Handles a notification of the target.
   *
   * @param about {@link Exchange.about} of the request on whose stream it has arrived
   */
  notification(method: string, params: Params | undefined, about: number | undefined): void;
  /**
   * Handles a request of the target, other than `ping`. Rejects with the error response.
   *
   * @param about see {@link notification}
   */
  request(request: IncomingRequest, about: number | undefined): Promise<Result>;
  /**
   * Called after every handshake, also the first: the target does not know what the client session had set up before.
   *
   * @param isReopened whether the session was opened again after a loss, and not for a request
   */
  connected(isReopened: boolean): void;
  /** Called when a connection was lost, or works in part only, while no request reports it. */
  failed(reason: Error): void;
  /** Called each time that a stream is not read on at once, since it brings more notifications than are read. */
  delayed(): void;
}

/** The circuit breaker of one target; see `TargetCircuit`. */
export interface Circuit {
  /** The error of what would be sent now; `undefined` when it may be sent. */
  refusal(): Error | undefined;
  /** Rejects with the refusal, unless another attempt to connect, where one takes no time, has been successful. */
  retry(): Promise<void>;
  /** @param isOwn whether nothing that a client has chosen could be the reason */
  failed(error: unknown, isOwn: boolean): void;
  /** Calls back when the circuit closes, once, unless it is stopped before. */
  whenClosed(closed: () => void): Stop;
}

/** What is known of a target. Shared by all sessions. */
export interface TargetMemory {
  /** The transport that worked last, by the one that is tried first, so that only the first session has to probe. */
  readonly transports: Map<TransportKind, TransportKind>;
  /** Connections that the gateway ended because the target sent too much, until a minute passed without one. */
  floods: number;
  /** No connection is opened before this time, in milliseconds since the epoch. */
  refusedUntil: number;
  /** What the last handshake said; `undefined` before the first one. */
  handshake: Handshake | undefined;
  /** No new session waits for its handshake before this time, in milliseconds since the epoch. */
  notAwaitedUntil?: number;
  /**
   * Of the tools that were listed: those of a target of MCP 2026-07-28, which gets these headers, and what any other
   * one lists for a client of that revision, which sends them. `undefined` before the first list.
   */
  paramHeaders: ParamHeaders | undefined;
  /**
   * The tools whose calls have to be tasks of MCP 2025-11-25, of those that were listed for a client of a later one.
   */
  taskTools?: ReadonlySet<string> | undefined;
  /** Whether the last page of tools was listed, so that what is not in the two above is known, too. */
  areToolsListed?: boolean;
  /** How often the three above were forgotten, since others needed their room. */
  listsForgotten: number;
  /** What it has answered last, so that the same list is parsed once for all clients. */
  repeated?: RepeatedAnswers;
}

/** What a target says of itself. */
export interface Handshake {
  readonly capabilities: Capabilities;
  /** How to use the target, for models; shortened when it is too long. */
  readonly instructions: string | undefined;
}

/** A client transport of MCP, for one session with a target. Reads what a target sends within the limits. */
export interface Transport {
  /** Resolves when messages can be sent. */
  start(): Promise<void>;
  /**
   * Sends a message. Rejects when it could not be sent and, for a request, when the response can no longer arrive. Call
   * it with `notifications/cancelled` to end the exchange of a request whose response is not needed.
   */
  send(message: Message, options?: TransportOptions): Promise<void>;
  /** Sets the protocol version of the handshake, which further requests name. */
  setProtocolVersion(version: string): void;
  /** Ends the session at the target. */
  terminate(): Promise<void>;
  /** Ends all exchanges. Nothing is received after that. */
  close(): void;
}

/** Options of one message. */
export interface TransportOptions {
  readonly paused?: (() => void) | undefined;
  /** HTTP+SSE, where all responses share a stream, calls it once, for a large message that is complete. */
  readonly arriving?: Arriving | undefined;
  /** By default, those of the connection. */
  readonly headers?: PassedHeaders | undefined;
}

/** What a transport reports. What the first three throw ends the stream that the message arrived on. */
export interface TransportEvents {
  /** @param about the request on whose stream the message has arrived; `undefined` for a stream of the session */
  received(message: Message, size: MessageSize, about?: RequestId): void;
  /**
   * Called for a text that is no message.
   *
   * @param refused why its messages are not used, when it has any
   */
  invalid(size: MessageSize, refused?: string): void;
  /** Called with the number of lines of event streams that are no events. */
  ignored(lines: number): void;
  /** Call it after messages were handled, in the same turn. Resolves when more may be read; `undefined`: at once. */
  pace(): Promise<void> | undefined;
  /** Called when no message can be received any more. */
  lost(reason: Error): void;
  /** Called when the stream of notifications keeps ending; from then on it is opened less often. */
  streamFailed(reason: Error): void;
}

/** Dependencies of a transport. */
export interface TransportParts
  extends Pick<UpstreamParts, 'fetch' | 'clock' | 'random' | 'budget' | 'headers' | 'circuit'> {
  readonly url: URL;
  readonly target: string;
  /** Returns the headers that repeat what a message says; by default there are none. */
  readonly headersOf?: ((message: Message) => Readonly<Record<string, string>>) | undefined;
  readonly events: TransportEvents;
  /** Default: every answer is parsed. */
  readonly repeated?: RepeatedAnswers | undefined;
}
