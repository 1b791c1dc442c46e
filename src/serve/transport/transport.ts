import type { Clock } from '../../edges.ts';
import type { Frame } from './framing.ts';

/** What carries a gRPC call, for what grpc-js has no word for or takes a detour (docs/decisions/0006). */
export interface Transport {
  /** Whether nothing of the stream is left. */
  closed(): boolean;
  /** Ends the stream at once, whatever the node has yet to read or to say, and frees it. */
  reset(): void;
  /** Calls `then` when the stream closes. */
  onClose(then: () => void): void;
  /** Takes no more than what is under way: of a request that nobody reads any more the rest need not come. */
  stopReading(): void;
  /** Calls `then` with every piece that arrives, complete messages or not. */
  onReceived(then: (piece: Buffer) => void): void;
  /**
   * Writes one framed message; its pieces may be shared with other streams and are never changed. Calls `left` when
   * the last byte of it has left or never will, and answers whether there is room for more; when not, `onDrain` tells.
   */
  write(frame: Frame, left: () => void): boolean;
  /** Calls `then` whenever there is room again. */
  onDrain(then: () => void): void;
  /** Tells the node to open its next stream on another connection. The streams of this one live on. */
  retire(): void;
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
