import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { AggregatedDiscoveryServiceService as ads } from '../../../../src/gen/envoy/service/discovery/v3/ads.ts';
import {
  DeltaDiscoveryRequest,
  DeltaDiscoveryResponse,
} from '../../../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { firstWords } from '../../../support/nodes/raw-socket-node.ts';
import { grpcFrame } from '../../../support/nodes/raw-stream.ts';
import { targetType } from '../../../support/worlds/hand-made-world.ts';
import { floodConnections } from './connection-flood.ts';
import type { AttackName } from './messages.ts';

/** Starts hostile clients, at an address that no other node has; returns a function that stops them. */
type Attack = (port: number) => () => void;

const attackerAddress = '127.0.0.2';

/** Of the attack that would run out of ports at one address while closed connections are in TIME_WAIT. */
const floodAddress = '127.0.0.3';
const node = { id: 'hostile', metadata: { role: 'mcp~default~gw' } };
/** Nodes of the attacks that stay connected. */
const connectedNodes = 100;

export const attacks: Readonly<Record<AttackName, Attack>> = {
  'sends bytes that are no request': (port) => {
    const junk = grpcFrame(Buffer.alloc(1000, 0xff));
    return onOneConnection(port, 10, 20, (stream) => stream.write(junk));
  },
  'forges its metadata': (port) => {
    const forged = framed({ node: { id: 'mcpgw~10.0.0.1~gw.default~default', metadata: { role: '../../etc~x~~' } } });
    return onOneConnection(port, 10, 20, (stream) => stream.write(forged));
  },
  'sends a request of 100 MB': (port) => {
    const request = grpcFrame(Buffer.alloc(100_000_000));
    return onOneConnection(port, 250, 1, (stream) => stream.write(request));
  },
  'never reads': (port) => keepConnected(port, 0, () => {}),
  'never answers': (port) => keepConnected(port, 1 << 20, (stream) => void stream.resume()),
  'refuses everything': (port) =>
    keepConnected(port, 1 << 20, (stream) => {
      eachResponse(stream, ({ nonce: responseNonce }) => {
        stream.write(framed({ responseNonce, errorDetail: { code: 13, message: 'no' } }));
      });
    }),
  'subscribes to a million names': (port) => {
    const resourceNamesSubscribe = Array.from({ length: 1_000_000 }, (_, index) => `ns/name-${index}`);
    const request = framed({ node, resourceNamesSubscribe });
    return onOneConnection(port, 250, 1, (stream) => stream.write(request));
  },
  'holds a million names': (port) => {
    const versions = Array.from({ length: 1_000_000 }, (_, index) => [`ns/name-${index}`, '1']);
    const request = framed({ node, initialResourceVersions: Object.fromEntries(versions) });
    return onOneConnection(port, 250, 1, (stream) => stream.write(request));
  },
  'floods requests': (port) => {
    const session = sessionTo(port, 1 << 20);
    const stream = streamOn(session);
    stream.write(framed({ node, resourceNamesSubscribe: ['a/none'] }));
    const flood = Buffer.concat(Array.from({ length: 20 }, () => framed({ resourceNamesSubscribe: ['a/none'] })));
    const stop = every(10, () => stream.writableLength < 1 << 20 && stream.write(flood));
    stream.resume();
    return () => {
      stop();
      session.destroy();
    };
  },
  'opens 10,000 connections a second': (port) =>
    floodConnections(port, floodAddress, 10_000, firstWords({ node, typeUrl: targetType })),
  'floods connections': (port) => {
    const request = framed({ node });
    const open = new Set<ClientHttp2Session>();
    const stop = every(10, () => {
      for (const session of open) session.destroy();
      open.clear();
      for (let count = 0; count < 20; count += 1) {
        const session = sessionTo(port, 1 << 20);
        streamOn(session).write(request);
        open.add(session);
      }
    });
    return () => {
      stop();
      for (const session of open) session.destroy();
    };
  },
};

/**
 * Opens streams on one connection at an interval.
 *
 * @param streams per interval
 */
function onOneConnection(
  port: number,
  milliseconds: number,
  streams: number,
  begin: (stream: ClientHttp2Stream) => void,
): () => void {
  const session = sessionTo(port, 1 << 20);
  const stop = every(milliseconds, () => {
    for (let count = 0; count < streams; count += 1) {
      const stream = streamOn(session);
      stream.resume();
      begin(stream);
    }
  });
  return () => {
    stop();
    session.destroy();
  };
}

/**
 * Connects nodes that subscribe to all targets, each on a connection of its own.
 *
 * @param window initial HTTP/2 window in bytes
 * @param behave called after the first request
 */
function keepConnected(port: number, window: number, behave: (stream: ClientHttp2Stream) => void): () => void {
  const sessions = Array.from({ length: connectedNodes }, () => {
    const session = sessionTo(port, window);
    const stream = streamOn(session);
    stream.write(framed({ node }));
    behave(stream);
    return session;
  });
  return () => {
    for (const session of sessions) session.destroy();
  };
}

function sessionTo(port: number, initialWindowSize: number): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${port}`, {
    settings: { initialWindowSize },
    createConnection: () => connectSocket({ host: '127.0.0.1', port, localAddress: attackerAddress }),
  });
  session.on('error', () => {});
  return session;
}

function streamOn(session: ClientHttp2Session): ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': ads.deltaAggregatedResources.path,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', () => {});
  return stream;
}

function eachResponse(stream: ClientHttp2Stream, received: (response: DeltaDiscoveryResponse) => void): void {
  let bytes = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    while (bytes.length >= 5 && bytes.length >= 5 + bytes.readUInt32BE(1)) {
      const end = 5 + bytes.readUInt32BE(1);
      const response = DeltaDiscoveryResponse.decode(bytes.subarray(5, end));
      bytes = bytes.subarray(end);
      received(response);
    }
  });
}

function framed(fields: Parameters<typeof DeltaDiscoveryRequest.fromPartial>[0]): Buffer {
  return grpcFrame(
    DeltaDiscoveryRequest.encode(DeltaDiscoveryRequest.fromPartial({ typeUrl: targetType, ...fields })).finish(),
  );
}

function every(milliseconds: number, run: () => unknown): () => void {
  const timer = setInterval(run, milliseconds);
  return () => clearInterval(timer);
}
