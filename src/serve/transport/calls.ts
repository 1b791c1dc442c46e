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
  PERMISSION_DENIED: status.PERMISSION_DENIED,
  RESOURCE_EXHAUSTED: status.RESOURCE_EXHAUSTED,
  DEADLINE_EXCEEDED: status.DEADLINE_EXCEEDED,
  UNAVAILABLE: status.UNAVAILABLE,
  INTERNAL: status.INTERNAL,
};

/** Ends a call with a status, after what was written to it. No further request is read. */
export function endCall(call: BytesCall, { code, message }: StreamStatus): void {
  // grpc-js takes the status of a streaming call from an error event.
  call.emit('error', Object.assign(new Error(message), { code: statusOf[code], details: message }));
  call.pause();
}

/** Returns the address of the client, without its port, which differs for each connection. */
export function addressOf(call: BytesCall): string {
  const peer = call.getPeer();
  return peer.slice(0, peer.lastIndexOf(':'));
}
