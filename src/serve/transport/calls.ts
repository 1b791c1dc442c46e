import type { ServerHttp2Stream } from 'node:http2';
import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import type { Incoming } from '../ads/protocol.ts';
import type { ErrorCode, StreamStatus } from '../request/stream-status.ts';

/** A gRPC call whose responses are encoded already. */
export type BytesCall = ServerDuplexStream<unknown, Buffer>;

/** The gRPC call of one ADS stream. */
export type AdsCall = ServerDuplexStream<Incoming, Buffer>;

const statusOf: Readonly<Record<ErrorCode, status>> = {
  INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  NOT_FOUND: status.NOT_FOUND,
  UNAUTHENTICATED: status.UNAUTHENTICATED,
  PERMISSION_DENIED: status.PERMISSION_DENIED,
  RESOURCE_EXHAUSTED: status.RESOURCE_EXHAUSTED,
  DEADLINE_EXCEEDED: status.DEADLINE_EXCEEDED,
  UNIMPLEMENTED: status.UNIMPLEMENTED,
  UNAVAILABLE: status.UNAVAILABLE,
  INTERNAL: status.INTERNAL,
};

/** Ends a call with a status, after what was written to it. No further request is read. */
export function endCall(call: BytesCall, { code, message }: StreamStatus): void {
  // grpc-js takes the status of a streaming call from an error event.
  call.emit('error', Object.assign(new Error(message), { code: statusOf[code], details: message }));
  call.pause();
}

/**
 * Refuses a stream before gRPC sees it: a response of headers alone (Trailers-Only). Node then resets the stream with
 * NO_ERROR (RFC 9113, section 8.1), whether or not the client has ended it, since nothing was read.
 */
export function refuseStream(stream: ServerHttp2Stream, { code, message }: StreamStatus): void {
  if (stream.destroyed || stream.closed) return;
  const headers = {
    ':status': 200,
    'content-type': 'application/grpc',
    'grpc-status': statusOf[code],
    'grpc-message': message,
  };
  stream.respond(headers, { endStream: true });
}

/** Returns the address of the client, without its port, which differs for each connection. */
export function addressOf(call: BytesCall): string {
  const peer = call.getPeer();
  return peer.slice(0, peer.lastIndexOf(':'));
}
