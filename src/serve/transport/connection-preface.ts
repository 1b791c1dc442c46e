import type { Socket } from 'node:net';
import type { Clock } from '../../edges.ts';

/** With these bytes every connection of HTTP/2 begins (RFC 9113, section 3.4). */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** Bytes that are read of a connection that waits; they are enough to notice its end, unless it sends more. */
const maxWaiting = 16 * 1024;

/** Time limit and clock of the wait. */
export interface PrefaceParts {
  readonly clock: Clock;
  /** Milliseconds for the preface. */
  readonly timeout: number;
}

/** What a connection begins with: HTTP/2 in plaintext, or the ClientHello of TLS. */
export type Beginning = 'http2' | 'tls';

/** What the first bytes of a connection turned out to be. One of the two is called, once. */
export interface PrefaceListener {
  /**
   * Called with a function that stops reading, and puts everything back into the buffer of the socket; it returns the
   * number of streams that were opened so far.
   */
  arrived(putBack: () => number, beginning: Beginning): void;
  /** Called when other bytes arrive, or none in time. */
  failed(): void;
}

/**
 * Waits for the preface of HTTP/2 on a new connection, or for the ClientHello of TLS. Continues to read until `putBack`, so that the end of a connection
 * that waits is noticed: it is destroyed then. Calls neither function of the listener when the connection ends before.
 */
export function awaitPreface(
  socket: Socket,
  accepted: readonly Beginning[],
  { clock, timeout }: PrefaceParts,
  listener: PrefaceListener,
): void {
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
    const beginning = beginningOf(received, accepted);
    if (beginning === 'neither') {
      stop();
      listener.failed();
      return;
    }
    if (beginning === 'incomplete') return;
    arrived = true;
    stopTimer();
    listener.arrived(() => {
      stop();
      socket.unshift(received);
      return beginning === 'http2' ? streamsIn(received) : 0;
    }, beginning);
  };
  const stopTimer = clock.after(timeout, () => {
    stop();
    listener.failed();
  });
  socket.on('data', read).once('end', ended).once('close', stopTimer);
}

/** The first bytes of a connection, as far as they are known: the first byte tells the protocols apart. */
function beginningOf(received: Buffer, accepted: readonly Beginning[]): Beginning | 'incomplete' | 'neither' {
  if (accepted.includes('http2')) {
    const length = Math.min(received.length, preface.length);
    const same = received.compare(preface, 0, length, 0, length) === 0;
    if (same) return length < preface.length ? 'incomplete' : 'http2';
  }
  return accepted.includes('tls') ? clientHelloIn(received) : 'neither';
}

/** Bytes of the header of a TLS record, the type of a handshake record, and the major version (RFC 8446, section 5.1). */
const recordHeader = 5;
const handshakeRecord = 22;
const majorVersion = 3;

/**
 * Waits for the whole first record, which has the ClientHello: TLS keeps 60 KiB for a client that has begun, and a slow one
 * costs only its bytes this way. A longer record than is waited for has no ClientHello of an honest client.
 */
function clientHelloIn(received: Buffer): 'tls' | 'incomplete' | 'neither' {
  if (received[0] !== handshakeRecord || (received.length > 1 && received[1] !== majorVersion)) return 'neither';
  if (received.length < recordHeader) return 'incomplete';
  const length = recordHeader + received.readUInt16BE(3);
  if (length > maxWaiting) return 'neither';
  return received.length < length ? 'incomplete' : 'tls';
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
