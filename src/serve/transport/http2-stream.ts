import { Metadata } from '@grpc/grpc-js';
import type { Clock } from '../../edges.ts';
import type { BytesCall } from './calls.ts';
import type { Frame } from './framing.ts';

/** The members of a stream of `node:http2` that are used here. */
interface NodeHttp2Stream {
  /** True if both sides have ended; unread data may still be there. */
  readonly closed: boolean;
  readonly destroyed: boolean;
  readonly writable: boolean;
  readonly headersSent: boolean;
  readonly session?: { close(): void };
  close(code: number): void;
  destroy(): void;
  pause(): void;
  write(chunk: Buffer): boolean;
  cork(): void;
  uncork(): void;
  on(event: 'data', listener: (chunk: Buffer) => void): unknown;
  on(event: 'drain', listener: () => void): unknown;
  once(event: 'close', listener: () => void): unknown;
}

/**
 * The HTTP/2 stream below a call, for what grpc-js cannot do or does with copies (decision 0006). Messages are written
 * to the stream itself: grpc-js copies each message for each call, a thousand copies of a large first response for a
 * thousand nodes. Headers, requests and the status remain with the call.
 */
export class Http2Stream {
  readonly #stream: NodeHttp2Stream;
  readonly #call: BytesCall;

  /**
   * @throws TypeError when grpc-js has its stream elsewhere: it is a private member of a library whose version is
   * pinned, and without it a stream that its node does not read could not be reset
   */
  constructor(call: BytesCall) {
    const stream = member(member(call, 'call'), 'stream');
    if (!isNodeHttp2Stream(stream)) throw new TypeError('this version of grpc-js keeps the stream of a call elsewhere');
    this.#stream = stream;
    this.#call = call;
  }

  /** The stream of `node:http2` itself, as a key of a map. */
  get key(): object {
    return this.#stream;
  }

  /** True if the stream is destroyed. */
  get closed(): boolean {
    return this.#stream.destroyed;
  }

  /** Resets the stream with CANCEL: drops unread and unwritten data. */
  reset(): void {
    // Node would wait for a reader of a stream that both sides have ended.
    if (this.#stream.closed) this.#stream.destroy();
    else this.#stream.close(cancel);
  }

  /** Closes the stream after what was written, also if the client goes on sending (RFC 9113, section 8.1). */
  close(): void {
    if (!this.#stream.destroyed) this.#stream.close(noError);
  }

  onClose(listener: () => void): void {
    this.#stream.once('close', listener);
  }

  /** Stops reading: the flow-control window of the stream stays closed, that of the connection is not affected. */
  stopReading(): void {
    this.#stream.pause();
  }

  /** Calls `listener` with every chunk that arrives, whether or not it completes a message. */
  onData(listener: (chunk: Buffer) => void): void {
    this.#stream.on('data', listener);
  }

  /**
   * Writes one framed message; its buffers may be shared with other streams and are never changed.
   *
   * @returns whether there is room for more; if not, `drain` follows
   */
  write(frame: Frame): boolean {
    const stream = this.#stream;
    if (!stream.headersSent) this.#call.sendMetadata(noMetadata);
    // A deadline of the call ends the stream without an event, and a write would be an error.
    if (!stream.writable) return false;
    if (frame.length === 1) return stream.write(frame[0]);
    const [head, body, tail] = frame;
    // Corked, three buffers are one write to the socket.
    stream.cork();
    stream.write(head);
    stream.write(body);
    const room = stream.write(tail);
    stream.uncork();
    return room;
  }

  /** Sends the response headers now, with this one, unless they were sent. */
  sendHeader(name: string, value: string): void {
    if (this.#stream.headersSent || !this.#stream.writable) return;
    const metadata = new Metadata();
    metadata.set(name, value);
    this.#call.sendMetadata(metadata);
  }

  onDrain(listener: () => void): void {
    this.#stream.on('drain', listener);
  }

  /** Sends GOAWAY: the node opens its next stream on another connection, while the streams of this one continue. */
  sendGoaway(): void {
    this.#stream.session?.close();
  }
}

function isNodeHttp2Stream(value: unknown): value is NodeHttp2Stream {
  return typeof value === 'object' && value !== null && 'headersSent' in value && 'cork' in value;
}

function member(owner: unknown, name: string): unknown {
  return typeof owner === 'object' && owner !== null ? Reflect.get(owner, name) : undefined;
}

/** How long a stream may outlive its end. */
export interface LingerParts {
  readonly clock: Clock;
  /** Milliseconds that a node has to read the end of its stream and to close it; then the stream is reset. */
  readonly linger: number;
}

/**
 * Resets a stream that is not closed within a time after its end, as SO_LINGER does for a socket. The status is sent
 * after what was written before, so a node that does not read never gets it and frees nothing (rule F4), and one that
 * got it may continue to send.
 */
export function linger(stream: Http2Stream, { clock, linger: time }: LingerParts, wasReset: () => void): void {
  if (stream.closed) return;
  const stopTimer = clock.after(time, () => {
    if (stream.closed) return;
    stream.reset();
    wasReset();
  });
  stream.onClose(stopTimer);
}

/** Error codes of HTTP/2 (RFC 9113, section 7). */
const noError = 0;
const cancel = 8;
const noMetadata = new Metadata();
