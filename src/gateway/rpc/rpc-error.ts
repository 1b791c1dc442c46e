import { errorCode } from './protocol.ts';

/** An error answer of JSON-RPC, with code, message and data exactly as they stand on the wire. */
export class RpcError extends Error {
  override readonly name = 'RpcError';

  readonly code: number;

  readonly data: unknown;

  constructor(code: number, message: string, data?: unknown) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** The `error` member of the answer to a request that failed. What is not meant for the other side stays here. */
export function errorObjectOf(error: unknown): { code: number; message: string; data?: unknown } {
  if (!(error instanceof RpcError)) return { code: errorCode.internalError, message: 'Internal error' };
  const { code, message, data } = error;
  return data === undefined ? { code, message } : { code, message, data };
}
