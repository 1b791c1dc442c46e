import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import type { Incoming } from '../ads/protocol.ts';
import type { EndCode, StreamEnd } from '../request/stream-status.ts';

/** A gRPC stream whose responses are bytes already, whatever its requests are. */
export type BytesCall = ServerDuplexStream<unknown, Buffer>;

/** One gRPC stream of a node. */
export type AdsCall = ServerDuplexStream<Incoming, Buffer>;

const statusOf: Readonly<Record<EndCode, status>> = {
  INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  NOT_FOUND: status.NOT_FOUND,
  PERMISSION_DENIED: status.PERMISSION_DENIED,
  RESOURCE_EXHAUSTED: status.RESOURCE_EXHAUSTED,
  DEADLINE_EXCEEDED: status.DEADLINE_EXCEEDED,
  UNAVAILABLE: status.UNAVAILABLE,
  INTERNAL: status.INTERNAL,
};

/** Ends a call with this status, after what was written to it. No further request is read. */
export function endCall(call: BytesCall, { code, message }: StreamEnd): void {
  // This is how grpc-js is told a status.
  call.emit('error', Object.assign(new Error(message), { code: statusOf[code], details: message }));
  call.pause();
}

/** Where a call comes from, without the port, which every connection has of its own. */
export function addressOf(call: BytesCall): string {
  const peer = call.getPeer();
  return peer.slice(0, peer.lastIndexOf(':'));
}
