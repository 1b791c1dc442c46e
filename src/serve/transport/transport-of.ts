import type { BytesCall } from './calls.ts';
import { Http2Transport, isHttp2Stream } from './http2-stream.ts';
import { LibraryTransport } from './library-transport.ts';
import type { Transport } from './transport.ts';

/**
 * The HTTP/2 stream below a call of a grpc-js server is a private part of a library whose version is pinned. In another
 * version that keeps it elsewhere responses are copied for each stream, no stream is reset, and the tests of nodes that
 * do not read fail.
 */
export function transportOf(call: BytesCall): Transport {
  const stream = property(property(call, 'call'), 'stream');
  return isHttp2Stream(stream) ? new Http2Transport(stream, call) : new LibraryTransport(call);
}

function property(owner: unknown, name: string): unknown {
  return typeof owner === 'object' && owner !== null ? Reflect.get(owner, name) : undefined;
}
