import { connect } from 'node:net';
import { AggregatedDiscoveryServiceService as ads } from '../../../../src/gen/envoy/service/discovery/v3/ads.ts';
import { HealthService } from '../../../../src/gen/grpc/health/v1/health.ts';
import { attackerAddresses } from '../programs/http-client.ts';
import type { Attack, StopAttack, Trace } from '../programs/model.ts';
import { openingFrames, preface } from './raw-http2.ts';

const [from] = attackerAddresses;

const withoutEnd: Trace = {
  metric: 'gatehouse_xds_connections_closed_total',
  line: 'connections are closed because they open streams without end',
};

/**
 * HTTP/2 ends a connection with a thousand streams beyond MAX_CONCURRENT_STREAMS; in the tests there are not enough
 * connections for their address to have opened too many streams.
 */
const endedByHttp2: Trace = {
  metric: 'gatehouse_xds_connections_failed_total',
  labels: { reason: 'invalid-frames' },
  line: 'connections end because of errors of HTTP/2',
};

/** Streams on few connections, as many as the connections take, whatever the server's SETTINGS say. */
export const streamAttacks: readonly Attack[] = [
  ofStreams('health watches on one connection', 1, HealthService.watch.path, endedByHttp2),
  ofStreams('health watches on three connections', 3, HealthService.watch.path),
  ofStreams('ADS streams on one connection', 1, ads.deltaAggregatedResources.path),
  ofStreams('ADS streams on three connections', 3, ads.deltaAggregatedResources.path),
  ofStreams('streams of an unknown method on three connections', 3, '/no.such.Service/Method'),
];

/** Streams that are opened in one turn. */
const batch = 300;
/** Bytes that the attackers keep unsent. */
const backlog = 4 * 2 ** 20;
/** The highest id of a client's stream, after which a connection is used up. */
const maxStreamId = 2 ** 31 - 1;

function ofStreams(name: string, connections: number, path: string, trace = withoutEnd): Attack {
  return {
    name,
    row: 9,
    program: 'serve',
    amount: { full: 150_000, short: 15_000 },
    seconds: 15,
    trace,
    start({ xds }, streams): StopAttack {
      const stops = Array.from({ length: connections }, () => openStreams(xds, path, streams));
      return () => {
        for (const stop of stops) stop();
        return 0;
      };
    },
  };
}

/** Opens this many streams on one connection, and as many again on a new one when the server closes it. */
function openStreams(port: number, path: string, streams: number): () => void {
  let stopped = false;
  let opened = 0;
  let again: NodeJS.Timeout | undefined;
  let leave = (): void => {};
  const open = (): void => {
    const socket = connect({ host: '127.0.0.1', port, localAddress: from }, () => socket.write(preface));
    let id = 1;
    const timer = setInterval(() => {
      if (socket.writableLength > backlog || socket.connecting || socket.destroyed) return;
      const frames: Buffer[] = [];
      for (let index = 0; index < batch && opened < streams && id < maxStreamId; index += 1, id += 2) {
        frames.push(openingFrames(id, path));
        opened += 1;
      }
      if (frames.length > 0) socket.write(Buffer.concat(frames));
    }, 5);
    socket.on('error', () => {});
    socket.on('close', () => {
      clearInterval(timer);
      if (!stopped) again = setTimeout(open, 10);
    });
    socket.resume();
    leave = () => socket.destroy();
  };
  open();
  return () => {
    stopped = true;
    clearTimeout(again);
    leave();
  };
}
