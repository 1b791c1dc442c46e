import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock, Random } from '../../edges.ts';
import type { EventStreams } from '../../net/event-streams.ts';
import type { Caller } from '../model.ts';
import type { Message } from '../rpc/model.ts';
import type { Multiplexer } from '../session/multiplexer.ts';
import type { BodyReader } from './body.ts';
import type { ErrorResponse } from './error-response.ts';
import type { Hold } from './exchange-limit.ts';
import type { SessionTableParts } from './session-table.ts';

/** One HTTP request of an authenticated caller with its response. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly caller: Caller;
  /** The headers of the request that targets get. */
  readonly passedHeaders: Readonly<Record<string, string>> | undefined;
  /** Hold it while a message of the request is handled. */
  readonly hold: Hold;
}

/** One HTTP transport of MCP, at a path of its own. */
export interface HttpTransport {
  /** The HTTP methods that it serves. */
  readonly methods: readonly string[];
  serve(exchange: Exchange, url: URL): Promise<void>;
  /**
   * Ends the streams of sessions, each with the time after which its reader should connect again (MCP 2025-11-25,
   * Transports, Listening for Messages from the Server): at once without requests in flight, else with the last
   * response. Call it when {@link HttpTransportParts.shutdownError} returns errors.
   */
  drain(): void;
  /**
   * Resolves when the responses that were sent since {@link drain} are read by clients that had lost their streams.
   * Absent where no stream can be resumed.
   */
  read?(): Promise<void>;
  /** Closes every session. Resolves when the sessions with targets are terminated. */
  stop(): Promise<void>;
}

/** Dependencies and limits of an HTTP transport. */
export interface HttpTransportParts {
  readonly multiplexer: Multiplexer;
  readonly bodies: BodyReader;
  /** The event streams of all transports. */
  readonly streams: EventStreams;
  readonly clock: Clock;
  readonly random: Random;
  /** Returns the error response to a request, the only message of its body, that only lacks a scope. */
  stepUp(messages: readonly Message[], caller: Caller): ErrorResponse | undefined;
  /**
   * Returns the error response to what begins something new while the gateway shuts down.
   *
   * @param messages of one body; absent for a new session, or a stream of a session without requests in flight
   * @param hasSession see {@link Multiplexer.refuses}; true by default
   */
  shutdownError(messages?: readonly Message[], hasSession?: boolean): ErrorResponse | undefined;
  /** The value of `WWW-Authenticate` for a token that expires while its request arrives. */
  readonly expiredChallenge: string;
  readonly maxSessions: number;
  /** Milliseconds after which a session without requests and streams is closed. */
  readonly idleTimeout: number;
  /** Called when there are {@link maxSessions} already, and another one is opened. */
  readonly full: SessionTableParts['full'];
}
