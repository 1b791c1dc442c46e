import { status } from '@grpc/grpc-js';

/** What an operator asked for and cannot have; the message says why and what to ask instead. */
export class RequestError extends Error {
  /** As grpc-js reads it off whatever ends a call. */
  readonly code: status;

  constructor(code: 'INVALID_ARGUMENT' | 'RESOURCE_EXHAUSTED', message: string) {
    super(message);
    this.name = 'RequestError';
    this.code = status[code];
  }
}
