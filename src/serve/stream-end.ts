import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import type { Incoming } from './variant.ts';

/** A gRPC stream whose responses are bytes already, whatever its requests are. */
export type BytesCall = ServerDuplexStream<unknown, Buffer>;

/** One gRPC stream of a node. */
export type AdsCall = ServerDuplexStream<Incoming, Buffer>;

/** The status that ends a stream. A node backs off from every one of them but OK. */
export interface StreamEnd {
  readonly code: EndCode;
  /** For whoever reads the node's log. */
  readonly message: string;
}

/** The status codes with which this server ends streams on purpose (rules G1, G2, G9). */
type EndCode =
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_EXHAUSTED'
  | 'DEADLINE_EXCEEDED'
  | 'UNAVAILABLE'
  | 'INTERNAL';

const statusOf: Readonly<Record<EndCode, status>> = {
  INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  NOT_FOUND: status.NOT_FOUND,
  PERMISSION_DENIED: status.PERMISSION_DENIED,
  RESOURCE_EXHAUSTED: status.RESOURCE_EXHAUSTED,
  DEADLINE_EXCEEDED: status.DEADLINE_EXCEEDED,
  UNAVAILABLE: status.UNAVAILABLE,
  INTERNAL: status.INTERNAL,
};

/** How a stream came to its end: a status of ours, or the other side's doing. */
export type Ending = EndCode | 'OK' | 'CANCELLED';

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
