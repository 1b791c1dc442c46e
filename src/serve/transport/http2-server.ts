import type { EventEmitter } from 'node:events';
import type { Http2Session, IncomingHttpHeaders, ServerHttp2Stream, ServerOptions } from 'node:http2';
import type { Socket } from 'node:net';
import { type ConnectionInjector, type Server, ServerCredentials } from '@grpc/grpc-js';
import { limitPieces, type PieceLimits } from '../../net/data-pieces.ts';
import { codeOf } from '../../net/errors.ts';

/** Decides about the streams of all connections. */
export interface StreamGate {
  /** Decides about a new stream: calls `start`, now or later, to pass it on to gRPC. */
  admit(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, start: () => void, rawHeaders: RawHeaders): void;
  /** Called with a stream whose data come in pieces that are too small. Ends it. */
  cutOff(stream: ServerHttp2Stream): void;
  /**
   * Called with a connection that ends because of an error of HTTP/2 (RFC 9113, section 5.4.1), such as headers that are
   * far too large. Its client gets a code, and no words.
   */
  failed(session: Http2Session, reason: Http2Failure, error: Error): void;
}

/** The error of HTTP/2 that ended a connection; `goaway`: its client says that there was one. */
export type Http2Failure = 'protocol' | 'flood' | 'invalid-frames' | 'goaway';

/** All headers as they came, names and values in turn: Node drops the second of two that may occur once. */
export type RawHeaders = readonly string[];

/** Returns every value of a header, in the order in which they came. */
export function valuesOf(name: string, rawHeaders: RawHeaders): readonly string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1] === name);
}

/** The limits of one connection. */
export interface Http2Limits {
  /** Streams open at once: MAX_CONCURRENT_STREAMS (RFC 9113, section 6.5.2). */
  readonly maxStreams: number;
  /** Bytes of the headers of a stream, which clients are told. */
  readonly maxHeaders: number;
}

/**
 * The HTTP/2 server inside of a gRPC server. grpc-js builds a call for every stream before it asks anybody, and answers
 * unknown methods by itself; and it does not pass on the options of node:http2. So its listener for streams is replaced
 * by one that is asked first (decision 0007).
 */
export class Http2Server {
  readonly #injector: ConnectionInjector;
  readonly #server: EventEmitter;

  /**
   * @throws TypeError when grpc-js has its HTTP/2 server elsewhere: it is a private member of a library whose version
   * is pinned, and without it nothing limits the streams of unknown methods
   */
  constructor(grpc: Server, limits: Http2Limits, gate: StreamGate) {
    const inherited = member(grpc, 'commonServerOptions');
    if (typeof inherited !== 'object' || inherited === null) throw wrongVersion();
    Object.assign(inherited, optionsOf(limits));
    this.#injector = grpc.createConnectionInjector(ServerCredentials.createInsecure());
    this.#server = http2ServerIn(grpc);
    replaceListener(this.#server, gate);
    watchSessions(grpc, (session, reason, error) => gate.failed(session, reason, error));
  }

  /** Begins HTTP/2 on a connection, with what was put back into its buffer. */
  begin(socket: Socket): Http2Session | undefined {
    let begun: Http2Session | undefined;
    const began = (session: Http2Session): void => {
      begun = session;
    };
    this.#server.once('session', began);
    this.#injector.injectConnection(socket);
    this.#server.off('session', began);
    return begun;
  }

  /**
   * Closes each connection once no stream is left on it, by force when the grace time is over.
   *
   * @param grace milliseconds
   */
  drain(grace: number): void {
    this.#injector.drain(grace);
  }
}

const noLimit = 1_000_000;

function optionsOf({ maxStreams, maxHeaders }: Http2Limits): ServerOptions {
  return {
    settings: { maxConcurrentStreams: maxStreams, maxHeaderListSize: maxHeaders },
    // The admission limits the streams that a client opens, and so those that it resets. The limit of nghttp2 is out of
    // the way: it ends the session in the middle of a chunk, and the process dies when that session is collected
    // (Node 24.21, "Assertion failed: (current_nghttp2_memory_) == (0)").
    streamResetBurst: noLimit,
    streamResetRate: noLimit,
  };
}

/**
 * A first request, and a few more beside it, in the smallest packets. An ACK is one piece of 70 bytes, or two where a
 * client frames it alone.
 */
const pieceLimits: PieceLimits = { anySize: 64, averageBytes: 32 };

function replaceListener(server: EventEmitter, gate: StreamGate): void {
  const [handle, ...others] = server.listeners('stream');
  if (handle === undefined || others.length > 0) throw wrongVersion();
  server.removeAllListeners('stream');
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, raw: RawHeaders) => {
    // grpc-js listens too, but only to the streams that it is given; an error without a listener ends the process.
    stream.on('error', ignoreError);
    limitPieces(stream, pieceLimits, () => gate.cutOff(stream));
    const start = (): void => {
      // To answer a stream that is gone throws.
      if (!stream.destroyed && !stream.closed) Reflect.apply(handle, server, [stream, headers]);
    };
    gate.admit(stream, headers, start, raw);
  });
}

/**
 * Calls `failed` as {@link StreamGate} says, for a gRPC server whose connections are injected, and lets no session be
 * collected before its streams.
 */
function watchSessions(grpc: Server, failed: StreamGate['failed']): void {
  const server = http2ServerIn(grpc);
  server.on('session', outliveStreams);
  server.on('sessionError', (error: Error, session: Http2Session) => {
    const reason = failureOf(error);
    if (reason !== undefined) failed(session, reason, error);
  });
}

/**
 * Keeps the native part of a session for two iterations of the event loop after its end. Node deletes that of a stream
 * among its next immediates, and if only some of the stream's headers were read, these count as memory of the session:
 * the process dies when the session is collected first (Node 24.21, "Assertion failed: (current_nghttp2_memory_) ==
 * (0)"). A client causes that by headers that never end, in a single packet.
 */
function outliveStreams(session: Http2Session): void {
  const key = Object.getOwnPropertySymbols(session).find(({ description }) => description === 'kHandle');
  const handle: unknown = key && Reflect.get(session, key);
  // The session itself lets go of it when it ends.
  session.once('close', () => setImmediate(() => setImmediate(forget, handle)));
}

const forget = (_handle: unknown): void => {};

function http2ServerIn(grpc: Server): EventEmitter {
  const servers = member(grpc, 'http2Servers');
  const [server] = servers instanceof Map ? servers.keys() : [];
  if (!isEventEmitter(server)) throw wrongVersion();
  return server;
}

/** Undefined for errors of the socket: the client is gone. */
function failureOf(error: Error): Http2Failure | undefined {
  switch (codeOf(error)) {
    case 'ERR_HTTP2_ERROR':
      return Reflect.get(error, 'errno') === nghttp2Flooded ? 'flood' : 'protocol';
    case 'ERR_HTTP2_TOO_MANY_INVALID_FRAMES':
      return 'invalid-frames';
    case 'ERR_HTTP2_SESSION_ERROR':
      return 'goaway';
    default:
      return undefined;
  }
}

/** NGHTTP2_ERR_FLOODED of nghttp2.h: answers that the client does not read. */
const nghttp2Flooded = -904;

function member(owner: object, name: string): unknown {
  return Reflect.get(owner, name);
}

function isEventEmitter(value: unknown): value is EventEmitter {
  return typeof value === 'object' && value !== null && 'listeners' in value && 'removeAllListeners' in value;
}

function wrongVersion(): TypeError {
  return new TypeError('this version of grpc-js keeps its HTTP/2 server elsewhere');
}

const ignoreError = (): void => {};
