import { AggregatedDiscoveryServiceService as ads } from '../../../../src/gen/envoy/service/discovery/v3/ads.ts';
import type { Attack, Trace } from '../programs/model.ts';
import { frameOf, headersFrame, openingFrames, preface, streamsWithoutEnd, writeWithoutEnd } from './raw-http2.ts';

const path = ads.deltaAggregatedResources.path;
const four = (value: number): Buffer => Buffer.from(new Uint32Array([value]).buffer).reverse();

/** The stream that each connection begins with, whose request is none. */
const ended = 'gatehouse_xds_streams_ended_total';

/** HTTP/2 itself answers, ignores or refuses these frames: nothing is seen but the stream that they come with. */
const accepted: Trace = { metric: ended, line: undefined };

/** HTTP/2 itself ends the connection. */
const broken: Trace = {
  metric: 'gatehouse_xds_connections_failed_total',
  line: 'connections end because of errors of HTTP/2',
};

/** Frames of HTTP/2 that cost the server something and the attackers next to nothing. */
export const frameAttacks: readonly Attack[] = [
  ofFrames('pings of HTTP/2 without an end', accepted, () => frameOf('ping', 0, Buffer.alloc(8))),
  ofFrames('settings of HTTP/2 without an end', broken, () =>
    frameOf('settings', 0, Buffer.concat(Array.from({ length: 100 }, () => Buffer.from([0, 3, 0, 0, 0, 100])))),
  ),
  ofFrames('priorities of streams without an end', accepted, (id) => frameOf('priority', id, Buffer.alloc(5))),
  ofFrames('window updates of one byte without an end', accepted, () => frameOf('windowUpdate', 0, four(1))),
  ofFrames('streams that are reset at once', streamsWithoutEnd, (id) =>
    Buffer.concat([openingFrames(id, path), frameOf('reset', id, four(8))]),
  ),
  ofFrames('empty data without an end', accepted, () => frameOf('data', 3, Buffer.alloc(0)), headersFrame(3, path)),
  ofFrames(
    'headers that go on without an end',
    broken,
    () => frameOf('continuation', 3, Buffer.alloc(16_000, Buffer.from([0x40, 1, 0x61, 1, 0x62]))),
    frameOf('headers', 3, Buffer.alloc(0)),
  ),
];

/** Makes a frame of the given number, which is that of a client's stream. */
type MakeFrame = (id: number) => Buffer;

/** @param first comes before the frames, and after the first stream */
function ofFrames(name: string, trace: Trace, frame: MakeFrame, first: Buffer = Buffer.alloc(0)): Attack {
  return {
    name,
    row: 9,
    program: 'serve',
    amount: { full: 1_000, short: 10 },
    seconds: 15,
    trace,
    start: ({ xds }, perWrite) =>
      writeWithoutEnd(xds, {
        connections: 3,
        backlog: 2 ** 20,
        interval: 1,
        opening: Buffer.concat([preface, openingFrames(1, path), first]),
        begin: () => {
          let id = 3;
          return () =>
            Buffer.concat(
              Array.from({ length: perWrite }, () => {
                id += 2;
                return frame(id);
              }),
            );
        },
      }),
  };
}
