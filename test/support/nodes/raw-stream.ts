import { type ClientHttp2Session, connect, type OutgoingHttpHeaders } from 'node:http2';
import { AggregatedDiscoveryServiceService as ads } from '../../../src/gen/envoy/service/discovery/v3/ads.ts';

/** A delta stream over plain HTTP/2, for bytes that no gRPC library sends. */
interface RawStream {
  /** Writes bytes, which need not be gRPC frames. Settles once they are flushed or the stream is closed. */
  write(bytes: Uint8Array): Promise<void>;
  /** Resets the stream. */
  reset(): void;
  /** Half-closes the stream. */
  finish(): void;
  /** The server's `grpc-status`, or the error code of its RST_STREAM. */
  readonly ended: Promise<{ readonly grpcStatus?: number; readonly resetWith?: number }>;
  /** Settles once the stream is closed, with the RST_STREAM code; 0 if both sides ended it. */
  readonly closed: Promise<number>;
}

/** One connection of raw streams. */
export interface RawConnection {
  open(headers?: OutgoingHttpHeaders): RawStream;
  /** The local port. */
  readonly port: () => number | undefined;
  close(): void;
}

export function createRawConnection(address: string, initialWindowSize?: number): RawConnection {
  const session = connect(`http://${address}`, {
    // Megabytes. With the default, a session with a long send queue rejects incoming data.
    maxSessionMemory: 1000,
    ...(initialWindowSize !== undefined && { settings: { initialWindowSize } }),
  });
  session.on('error', () => {});
  return {
    open: (headers) => openRaw(session, headers),
    port: () => session.socket.localPort,
    close: () => session.destroy(),
  };
}

function openRaw(session: ClientHttp2Session, headers: OutgoingHttpHeaders = {}): RawStream {
  const stream = session.request({
    ':method': 'POST',
    ':path': ads.deltaAggregatedResources.path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  const { promise: ended, resolve } = Promise.withResolvers<Awaited<RawStream['ended']>>();
  const told = ({ 'grpc-status': status }: Readonly<Record<string, unknown>>): void => {
    if (status !== undefined) resolve({ grpcStatus: Number(status) });
  };
  stream.on('response', told);
  stream.on('trailers', told);
  stream.on('error', () => {});
  const closed = Promise.withResolvers<number>();
  stream.on('close', () => {
    resolve({ resetWith: stream.rstCode });
    closed.resolve(stream.rstCode ?? 0);
  });
  return {
    write: async (bytes) => {
      await Promise.race([closed.promise, new Promise<void>((left) => stream.write(bytes, () => left()))]);
    },
    reset: () => stream.close(8),
    finish: () => stream.end(),
    ended,
    closed: closed.promise,
  };
}

/** A gRPC frame, whose length prefix may be wrong. */
export function grpcFrame(message: Uint8Array, length: number = message.length, compressed = 0): Buffer {
  const head = Buffer.alloc(5);
  head[0] = compressed;
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
}
