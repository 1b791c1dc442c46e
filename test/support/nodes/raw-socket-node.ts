import { connect, type Socket } from 'node:net';
import { AggregatedDiscoveryServiceService as ads } from '../../../src/gen/envoy/service/discovery/v3/ads.ts';
import { type DeepPartial, DeltaDiscoveryRequest } from '../../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { grpcFrame } from './raw-stream.ts';

/**
 * The bytes that a node sends before its first response (RFC 9113, sections 3.4 and 4.1): the preface, SETTINGS, the
 * HEADERS of one delta stream and one request. They are encoded once and make a node of a plain socket, at almost no
 * cost for the client and without its flow control.
 */
export function firstWords(fields: DeepPartial<DeltaDiscoveryRequest>): Buffer {
  const request = DeltaDiscoveryRequest.encode(DeltaDiscoveryRequest.fromPartial(fields)).finish();
  return Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    frame(settings, 0, 0, Buffer.alloc(0)),
    anotherStream(1),
    frame(data, 0, 1, grpcFrame(request)),
  ]);
}

/**
 * The headers that open a stream, by default a delta stream.
 *
 * @param id odd, and higher than that of the stream before
 */
export function anotherStream(id: number, path: string = ads.deltaAggregatedResources.path): Buffer {
  const all = { ...streamHeaders, ':path': path };
  return frame(headers, endHeaders, id, Buffer.concat(Object.entries(all).map(literal)));
}

/** The DATA of a stream in frames of one byte. */
export function frameForEachByte(id: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([...bytes].map((byte) => frame(data, 0, id, Buffer.of(byte))));
}

/** A plain socket that writes these bytes once connected, and discards what it reads. */
export function createRawSocketNode(port: number, words: Uint8Array, localAddress = '127.0.0.1'): Socket {
  const socket = connect({ host: '127.0.0.1', port, localAddress }, () => socket.write(words));
  socket.on('error', () => {});
  return socket.resume();
}

const [data, headers, settings] = [0, 1, 4];
const endHeaders = 4;

const streamHeaders: Readonly<Record<string, string>> = {
  ':method': 'POST',
  ':scheme': 'http',
  ':path': ads.deltaAggregatedResources.path,
  ':authority': '127.0.0.1',
  'content-type': 'application/grpc',
  te: 'trailers',
};

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A literal header without indexing (RFC 7541, section 6.2.2); name and value have fewer than 127 bytes. */
function literal([name, value]: readonly [string, string]): Buffer {
  return Buffer.from([0, name.length, ...Buffer.from(name), value.length, ...Buffer.from(value)]);
}
