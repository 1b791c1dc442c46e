import { connect } from 'node:net';
import { AggregatedDiscoveryServiceService as ads } from '../../../../src/gen/envoy/service/discovery/v3/ads.ts';
import { attackerAddresses } from '../programs/http-client.ts';
import type { Attack, StopAttack, Trace } from '../programs/model.ts';
import { frameOf, headersFrame, openingFrames, preface } from './raw-http2.ts';

const [from] = attackerAddresses;

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

const withoutEnd: Trace = {
  metric: 'gatehouse_xds_connections_closed_total',
  line: 'connections are closed because they open streams without end',
};

/** Frames of HTTP/2 that cost the server something and the attackers next to nothing. */
export const frameAttacks: readonly Attack[] = [
  ofFrames('pings of HTTP/2 without an end', accepted, () => frameOf('ping', 0, Buffer.alloc(8))),
  ofFrames('settings of HTTP/2 without an end', broken, () =>
    frameOf('settings', 0, Buffer.concat(Array.from({ length: 100 }, () => Buffer.from([0, 3, 0, 0, 0, 100])))),
  ),
  ofFrames('priorities of streams without an end', accepted, (id) => frameOf('priority', id, Buffer.alloc(5))),
  ofFrames('window updates of one byte without an end', accepted, () => frameOf('windowUpdate', 0, four(1))),
  ofFrames('streams that are reset at once', withoutEnd, (id) =>
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

/** Bytes that the attackers keep unsent, and frames of one write. */
const backlog = 2 ** 20;

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
    start({ xds }, perWrite): StopAttack {
      const stops = Array.from({ length: 3 }, () => flood(xds, perWrite, frame, first));
      return () => {
        for (const stop of stops) stop();
        return 0;
      };
    },
  };
}

function flood(port: number, perWrite: number, frame: MakeFrame, first: Buffer): () => void {
  let stopped = false;
  let again: NodeJS.Timeout | undefined;
  let leave = (): void => {};
  const open = (): void => {
    let id = 5;
    const socket = connect({ host: '127.0.0.1', port, localAddress: from }, () => {
      socket.write(Buffer.concat([preface, openingFrames(1, path), first]));
    });
    const timer = setInterval(() => {
      if (socket.writableLength > backlog || socket.connecting || socket.destroyed) return;
      const frames: Buffer[] = [];
      for (let index = 0; index < perWrite; index += 1, id += 2) frames.push(frame(id));
      socket.write(Buffer.concat(frames));
    }, 1);
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
