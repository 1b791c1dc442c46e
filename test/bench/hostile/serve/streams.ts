import { AggregatedDiscoveryServiceService as ads } from '../../../../src/gen/envoy/service/discovery/v3/ads.ts';
import { HealthService } from '../../../../src/gen/grpc/health/v1/health.ts';
import type { Attack, StopAttack, Trace } from '../programs/model.ts';
import { openingFrames, preface, streamsWithoutEnd, writeWithoutEnd } from './raw-http2.ts';

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

function ofStreams(name: string, connections: number, path: string, trace = streamsWithoutEnd): Attack {
  return {
    name,
    row: 9,
    program: 'serve',
    amount: { full: 150_000, short: 15_000 },
    seconds: 15,
    trace,
    start({ xds }, streams): StopAttack {
      // On each connection, and on those that take its place, counted together.
      let left = streams * connections;
      const begin = (): (() => Buffer) => {
        let id = 1;
        return () => {
          const count = Math.min(batch, left);
          left -= count;
          return Buffer.concat(
            Array.from({ length: count }, () => {
              id += 2;
              return openingFrames(id - 2, path);
            }),
          );
        };
      };
      return writeWithoutEnd(xds, { connections, backlog: 4 * 2 ** 20, interval: 5, opening: preface, begin });
    },
  };
}
