import { once } from 'node:events';
import { performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { Duplex } from 'node:stream';
import { expect, it } from 'vitest';
import { HealthService } from '../../../src/gen/grpc/health/v1/health.ts';
import { createCallGate } from '../../../src/serve/operators/call-gate.ts';
import { openingFrames, preface } from '../../bench/hostile/serve/raw-http2.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';

/** Streams in what is read at once. */
const streamsOfRead = 100;

function framesOf(read: number): Buffer {
  const first = read * streamsOfRead;
  const ids = Array.from({ length: streamsOfRead }, (_, index) => 2 * (first + index) + 1);
  return Buffer.concat(ids.map((id) => openingFrames(id, HealthService.check.path)));
}

it('nothing more is read of a connection that is closed because of its many calls', async () => {
  let closed = 0;
  const gate = createCallGate({
    guard: undefined,
    clock: createManualClock(),
    log: createRecordedLog(),
    failed: () => {},
    flooded() {
      closed += 1;
    },
  });
  const reads = [preface, ...Array.from({ length: 20 }, (_, read) => framesOf(read))];
  const connection = new Duplex({
    // All within one iteration of the event loop, as of a socket that has received them, and streams are told after each.
    read() {
      queueMicrotask(() => this.push(reads.shift() ?? null));
    },
    write: (_chunk, _encoding, written) => written(),
  });
  const session: ServerHttp2Session = performServerHandshake(connection, {
    settings: { maxConcurrentStreams: 10_000 },
  });
  let admitted = 0;
  session.on('stream', (stream: ServerHttp2Stream, headers, _flags, rawHeaders) => {
    admitted += 1;
    stream.on('error', () => {});
    gate.admit(stream, headers, () => {}, rawHeaders);
  });
  await once(session, 'close');
  expect(closed).toBe(1);
  // Those that an address may open, and what was being read when there was one too many: two reads or three.
  expect(admitted).toBeLessThanOrEqual(6 * streamsOfRead);
});
