import type { Transport, TransportKind, TransportParts } from '../model.ts';
import { HttpSseTransport } from './http-sse-transport.ts';
import { StreamableHttpTransport } from './streamable-http-transport.ts';

/** Creates a transport without connecting. */
export function createTransport(kind: TransportKind, parts: TransportParts): Transport {
  return kind === 'http-sse' ? new HttpSseTransport(parts) : new StreamableHttpTransport(parts, kind);
}
