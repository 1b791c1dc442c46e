import type { Clock } from '../edges.ts';

/**
 * The HTTP/2 stream below a gRPC call, for what grpc-js has no word for (docs/decisions/0006). It is a private part of
 * a library whose version is pinned: in another version that keeps it elsewhere all of this does nothing, and the tests
 * of nodes that do not read fail.
 */
export interface Transport {
  /** Whether nothing of the stream is left. */
  closed(): boolean;
  /** Ends the stream at once, whatever the node has yet to read or to say, and frees it. */
  reset(): void;
  /** Calls `then` when the stream closes. */
  onClose(then: () => void): void;
  /** Calls `then` with the size of every piece that arrives, complete messages or not. */
  onReceived(then: (bytes: number) => void): void;
  /** Tells the node to open its next stream on another connection. The streams of this one live on. */
  retire(): void;
}

/** @param call of a grpc-js server */
export function transportOf(call: object): Transport {
  const stream = property(property(call, 'call'), 'stream');
  return {
    closed: () => property(stream, 'closed') !== false,
    reset: () => invoke(stream, 'close', cancel),
    onClose: (then) => invoke(stream, 'once', 'close', then),
    onReceived: (then) => invoke(stream, 'on', 'data', (piece: Uint8Array) => then(piece.length)),
    retire: () => invoke(property(stream, 'session'), 'close'),
  };
}

export interface LingerParts {
  readonly clock: Clock;
  /** Milliseconds that a node has to read the end of its stream and to close it; then the stream is reset. */
  readonly linger: number;
}

/**
 * Sees to it that nothing of a stream is left a while after its end. The status leaves after what was written before
 * it, so a node that reads nothing never takes it and never frees a byte (rule F4); and one that took it may still send.
 */
export function linger(transport: Transport, { clock, linger: time }: LingerParts, wasReset: () => void): void {
  if (transport.closed()) return;
  const stopTimer = clock.after(time, () => {
    if (transport.closed()) return;
    transport.reset();
    wasReset();
  });
  transport.onClose(stopTimer);
}

/** The error code CANCEL of HTTP/2 (RFC 9113, section 7). */
const cancel = 8;

function property(owner: unknown, name: string): unknown {
  return typeof owner === 'object' && owner !== null ? Reflect.get(owner, name) : undefined;
}

function invoke(owner: unknown, name: string, ...values: readonly unknown[]): void {
  const method = property(owner, name);
  if (typeof method === 'function') Reflect.apply(method, owner, values);
}
