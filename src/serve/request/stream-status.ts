/** The gRPC status with which this server ends a stream. A node backs off after every status but OK (rule G9). */
export interface StreamStatus {
  readonly code: ErrorCode;
  /** Appears in the log of the node. */
  readonly message: string;
}

/** The gRPC status codes with which this server ends streams on purpose (rules G1, G2, G9). */
export type ErrorCode =
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'UNAUTHENTICATED'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_EXHAUSTED'
  | 'DEADLINE_EXCEEDED'
  | 'UNIMPLEMENTED'
  | 'UNAVAILABLE'
  | 'INTERNAL';

/** The end of a stream: an error of this server, a half-close of the client (OK), or a reset (CANCELLED). */
export type StatusCode = ErrorCode | 'OK' | 'CANCELLED';
