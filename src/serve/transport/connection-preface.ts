import type { Socket } from 'node:net';
import type { Clock } from '../../edges.ts';

/** With these bytes every connection of HTTP/2 begins (RFC 9113, section 3.4). */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** Bytes that are read of a connection that waits; they are enough to notice its end, unless it sends more. */
const maxWaiting = 16 * 1024;

export interface PrefaceParts {
  readonly clock: Clock;
  /** Milliseconds for the preface. */
  readonly timeout: number;
}

export interface PrefaceListener {
  /**
   * Called with a function that stops reading, and puts everything back into the buffer of the socket; it returns the
   * number of streams that were opened so far.
   */
  arrived(putBack: () => number): void;
  /** Called when other bytes arrive, or none in time. */
  failed(): void;
}

/**
 * Waits for the preface of HTTP/2 on a new connection. Continues to read until `putBack`, so that the end of a connection
 * that waits is noticed: it is destroyed then. Calls neither function of the listener when the connection ends before.
 */
export function awaitPreface(socket: Socket, { clock, timeout }: PrefaceParts, listener: PrefaceListener): void {
  let received: Buffer = Buffer.alloc(0);
  let arrived = false;
  const stop = (): void => {
    stopTimer();
    socket.off('data', read).off('end', ended).off('close', stopTimer).pause();
  };
  const ended = (): void => {
    stop();
    socket.destroy();
  };
  const read = (chunk: Buffer): void => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    if (received.length >= maxWaiting) socket.pause();
    if (arrived) return;
    const length = Math.min(received.length, preface.length);
    if (received.compare(preface, 0, length, 0, length) !== 0) {
      stop();
      listener.failed();
      return;
    }
    if (length < preface.length) return;
    arrived = true;
    stopTimer();
    listener.arrived(() => {
      stop();
      socket.unshift(received);
      return streamsIn(received);
    });
  };
  const stopTimer = clock.after(timeout, () => {
    stop();
    listener.failed();
  });
  socket.on('data', read).once('end', ended).once('close', stopTimer);
}

/** Bytes of the header of a frame, and the type of the frame that opens a stream (RFC 9113, sections 4.1 and 6.2). */
const frameHeader = 9;
const headersFrame = 1;

/** Returns the number of HEADERS frames in the first bytes of a connection. */
function streamsIn(received: Buffer): number {
  let streams = 0;
  for (let at = preface.length; at + frameHeader <= received.length; at += frameHeader + received.readUIntBE(at, 3)) {
    if (received[at + 3] === headersFrame) streams += 1;
  }
  return streams;
}
