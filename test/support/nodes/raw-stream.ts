import { type ClientHttp2Session, connect, type OutgoingHttpHeaders } from 'node:http2';
import { AggregatedDiscoveryServiceService as ads } from '../../../src/gen/envoy/service/discovery/v3/ads.ts';

/** A delta stream over bare HTTP/2, for what no gRPC library sends. */
interface RawStream {
  /** Writes these bytes as they are: frames of gRPC, or none. Settles when they have left, or cannot any more. */
  write(bytes: Uint8Array): Promise<void>;
  /** Resets the stream. */
  reset(): void;
  /** Says that nothing more comes. */
  finish(): void;
  /** How the server ended it: the `grpc-status`, or the error code of a reset. */
  readonly ended: Promise<{ readonly grpcStatus?: number; readonly resetWith?: number }>;
  /** Settles when nothing of it is left, with the code of the reset; 0 when both sides came to their end. */
  readonly closed: Promise<number>;
}

/** One connection of raw streams. */
export interface RawConnection {
  open(headers?: OutgoingHttpHeaders): RawStream;
  /** The port of this end. */
  readonly port: () => number | undefined;
  close(): void;
}

export function createRawConnection(address: string, initialWindowSize?: number): RawConnection {
  const session = connect(`http://${address}`, {
    // A session that has much to send would refuse what it is told meanwhile; in megabytes.
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

/** A gRPC message, whose head may lie about its length. */
export function grpcFrame(message: Uint8Array, length: number = message.length, compressed = 0): Buffer {
  const head = Buffer.alloc(5);
  head[0] = compressed;
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
}
