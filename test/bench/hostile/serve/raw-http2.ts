import { grpcFrame } from '../../../support/nodes/raw-stream.ts';

/*
 * HTTP/2 frames by hand (RFC 9113, RFC 7541): an HTTP/2 library obeys the limits of the server, and an attacker does not.
 */

const frameTypes = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  windowUpdate: 8,
  continuation: 9,
} as const;
const endStream = 1;
const endHeaders = 4;

/** What a client sends first: the preface and empty SETTINGS. */
export const preface: Buffer = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  frame(frameTypes.settings, 0, 0, Buffer.alloc(0)),
]);

const emptyMessage = grpcFrame(Buffer.alloc(0));

/** The frames of a gRPC call with one empty message. @param id odd, and higher than that of the stream before */
export function openingFrames(id: number, path: string): Buffer {
  const isWatch = path.startsWith('/grpc.health');
  return Buffer.concat([headersFrame(id, path), frame(frameTypes.data, isWatch ? endStream : 0, id, emptyMessage)]);
}

/** The first of these frames: the call's message is still to come. */
export function headersFrame(id: number, path: string): Buffer {
  return frame(frameTypes.headers, endHeaders, id, headersOf(path));
}

const encoded = new Map<string, Buffer>();

function headersOf(path: string): Buffer {
  const known = encoded.get(path);
  if (known !== undefined) return known;
  const headers = {
    ':method': 'POST',
    ':scheme': 'http',
    ':path': path,
    ':authority': '127.0.0.1',
    'content-type': 'application/grpc',
    te: 'trailers',
  };
  const bytes = Buffer.concat(Object.entries(headers).map(literal));
  encoded.set(path, bytes);
  return bytes;
}

/** A frame of a type, whatever else it says. */
export function frameOf(type: keyof typeof frameTypes, stream: number, payload: Buffer, flags = 0): Buffer {
  return frame(frameTypes[type], flags, stream, payload);
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A literal header without indexing; name and value have fewer than 127 bytes. */
function literal([name, value]: readonly [string, string]): Buffer {
  return Buffer.from([0, name.length, ...Buffer.from(name), value.length, ...Buffer.from(value)]);
}
