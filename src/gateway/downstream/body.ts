import type { IncomingMessage } from 'node:http';
import { isTooDeep } from '../rpc/depth.ts';
import { errorCode } from '../rpc/protocol.ts';
import type { Refusal } from './error-response.ts';

/** The largest request that is read, as in the SDK. */
const maxBodyBytes = 4 * 1024 * 1024;

/** The JSON in a request, or why it was not read. */
export type Body = { readonly kind: 'json'; readonly value: unknown } | ({ readonly kind: 'refused' } & Refusal);

const tooLarge: Body = {
  kind: 'refused',
  status: 413,
  message: `The body is larger than ${maxBodyBytes} bytes`,
  headers: { connection: 'close' },
};

/** Reads the body of a request. Rejects when the client breaks off. */
export async function readBody(request: IncomingMessage): Promise<Body> {
  if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) return tooLarge;
  const chunks: Buffer[] = [];
  let size = 0;
  // Leaving off early must not close the connection: the answer has to go out on it.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > maxBodyBytes) return tooLarge;
    chunks.push(bytes);
  }
  const value = parse(Buffer.concat(chunks).toString());
  if (value === undefined) return notJson;
  return isTooDeep(value) ? tooDeep : { kind: 'json', value: withoutNullParams(value) };
}

const notJson: Body = { kind: 'refused', status: 400, code: errorCode.parseError, message: 'The body is not JSON' };

const tooDeep: Body = {
  kind: 'refused',
  status: 400,
  code: errorCode.invalidRequest,
  message: 'The body is nested too deep',
};

/** What JSON has no word for stands for a text that is none. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Some clients, the first ones in Rust among them, write parameters that are absent as null, which JSON-RPC forbids. */
function withoutNullParams(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('params' in value) || value.params !== null) return value;
  const { params: _, ...message } = value;
  return message;
}
