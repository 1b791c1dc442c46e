import type { IncomingMessage } from 'node:http';
import { isJsonObject, parseJson } from '../../json/json.ts';
import { isTooDeep } from '../rpc/protocol.ts';
import { errorCode } from '../rpc/rpc-error.ts';
import type { ErrorResponse } from './error-response.ts';

/** The largest body that is read: 4 MiB, as in the SDK. */
const maxBodyBytes = 4 * 1024 * 1024;

/** The JSON in a request, or the error response. */
export type Body = { readonly kind: 'json'; readonly value: unknown } | ({ readonly kind: 'error' } & ErrorResponse);

/** Reads and parses the body of a request. Rejects when the client disconnects. */
export async function readBody(request: IncomingMessage): Promise<Body> {
  if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) return tooLarge;
  const chunks: Buffer[] = [];
  let size = 0;
  // An early return must not destroy the connection, on which the response is sent.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > maxBodyBytes) return tooLarge;
    chunks.push(bytes);
  }
  const json = parseJson(Buffer.concat(chunks).toString());
  if (json === undefined) return notJson;
  return isTooDeep(json.value) ? tooDeep : { kind: 'json', value: withoutNullParams(json.value) };
}

const tooLarge: Body = {
  kind: 'error',
  status: 413,
  message: `The body is larger than ${maxBodyBytes} bytes`,
  headers: { connection: 'close' },
};

const notJson: Body = { kind: 'error', status: 400, code: errorCode.parseError, message: 'The body is not JSON' };

const tooDeep: Body = {
  kind: 'error',
  status: 400,
  code: errorCode.invalidRequest,
  message: 'The body is nested too deep',
};

/**
 * Removes `"params": null`, which JSON-RPC forbids but some clients send, among them early versions of the Rust SDK.
 */
function withoutNullParams(value: unknown): unknown {
  if (!isJsonObject(value) || value['params'] !== null) return value;
  const { params: _, ...message } = value;
  return message;
}
