import { Metadata } from '@grpc/grpc-js';
import type { BytesCall } from './calls.ts';
import type { Frame } from './framing.ts';
import type { Transport } from './transport.ts';

/** As much of a stream of `node:http2` as is used here. */
interface Http2Stream {
  /** Whether both sides came to their end; what was not read may still be there. */
  readonly closed: boolean;
  readonly destroyed: boolean;
  readonly writable: boolean;
  readonly headersSent: boolean;
  readonly session?: { close(): void };
  close(code: number): void;
  destroy(): void;
  pause(): void;
  write(piece: Buffer, left?: () => void): boolean;
  cork(): void;
  uncork(): void;
  on(event: 'data', listener: (piece: Buffer) => void): unknown;
  on(event: 'drain', listener: () => void): unknown;
  once(event: 'close', listener: () => void): unknown;
}

/** What is found where the stream should be is a stream, or nothing that is known here. */
export function isHttp2Stream(value: unknown): value is Http2Stream {
  return typeof value === 'object' && value !== null && 'headersSent' in value && 'cork' in value;
}

/**
 * A call and the HTTP/2 stream below it. Messages go to the stream itself: grpc-js would copy each of them for each
 * call, which for a large first answer costs a thousand nodes a thousand copies. Headers, requests and the status, which
 * leaves after what was written, remain with the call.
 */
export class Http2Transport implements Transport {
  readonly #stream: Http2Stream;
  readonly #call: BytesCall;

  constructor(stream: Http2Stream, call: BytesCall) {
    this.#stream = stream;
    this.#call = call;
  }

  closed(): boolean {
    return this.#stream.destroyed;
  }

  reset(): void {
    // Node closes a stream that nobody reads, and then waits for ever for somebody to read it.
    if (this.#stream.closed) this.#stream.destroy();
    else this.#stream.close(cancel);
  }

  onClose(then: () => void): void {
    this.#stream.once('close', then);
  }

  stopReading(): void {
    // The window of the stream stays as it is then; that of the connection does not depend on it.
    this.#stream.pause();
  }

  onReceived(then: (piece: Buffer) => void): void {
    this.#stream.on('data', then);
  }

  write(frame: Frame, left: () => void): boolean {
    const stream = this.#stream;
    if (!stream.headersSent) this.#call.sendMetadata(noMetadata);
    // The deadline of a call ends it without a word; writing to it would be an error, and what is left to do is nothing.
    if (!stream.writable) {
      left();
      return false;
    }
    if (frame.length === 1) return stream.write(frame[0], left);
    const [head, body, tail] = frame;
    // All at once, or there would be three writes to the socket.
    stream.cork();
    stream.write(head);
    stream.write(body);
    const room = stream.write(tail, left);
    stream.uncork();
    return room;
  }

  onDrain(then: () => void): void {
    this.#stream.on('drain', then);
  }

  retire(): void {
    this.#stream.session?.close();
  }
}

/** The error code CANCEL of HTTP/2 (RFC 9113, section 7). */
const cancel = 8;
const noMetadata = new Metadata();
