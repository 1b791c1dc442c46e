import { connect } from 'node:net';
import { grpcFrame } from '../../../support/nodes/raw-stream.ts';
import { attackerAddresses } from '../programs/http-client.ts';
import type { StopAttack, Trace } from '../programs/model.ts';

const [from] = attackerAddresses;

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

/** What is seen of connections whose streams the server refuses. */
export const streamsWithoutEnd: Trace = {
  metric: 'gatehouse_xds_connections_closed_total',
  line: 'connections are closed because they open streams without end',
};

/** How connections are written to. */
export interface Writing {
  /** How many there are at once. */
  readonly connections: number;
  /** Bytes that are kept unsent on each. */
  readonly backlog: number;
  /** Milliseconds between two writes. */
  readonly interval: number;
  /** What is sent first. */
  readonly opening: Buffer;
  /** Begins a connection; returns what makes the bytes of its next write, empty for none. */
  readonly begin: () => () => Buffer;
}

/** Writes on connections as fast as the server reads, and opens another one for each that it closes. */
export function writeWithoutEnd(port: number, writing: Writing): StopAttack {
  const stops = Array.from({ length: writing.connections }, () => writeOnOne(port, writing));
  return () => {
    for (const stop of stops) stop();
    return 0;
  };
}

function writeOnOne(port: number, { backlog, interval, opening, begin }: Writing): () => void {
  let stopped = false;
  let again: NodeJS.Timeout | undefined;
  let leave = (): void => {};
  const open = (): void => {
    const next = begin();
    const socket = connect({ host: '127.0.0.1', port, localAddress: from }, () => socket.write(opening));
    const timer = setInterval(() => {
      if (socket.writableLength > backlog || socket.connecting || socket.destroyed) return;
      const bytes = next();
      if (bytes.length > 0) socket.write(bytes);
    }, interval);
    socket.on('error', () => {}).resume();
    socket.on('close', () => {
      clearInterval(timer);
      if (!stopped) again = setTimeout(open, 10);
    });
    leave = () => socket.destroy();
  };
  open();
  return () => {
    stopped = true;
    clearTimeout(again);
    leave();
  };
}
