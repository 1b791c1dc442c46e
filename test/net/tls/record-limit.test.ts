import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { setImmediate as iteration } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { RecordLimit } from '../../../src/net/tls/record-limit.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';

/** A connection, as far as it is watched: its handle says whether it is read. */
class Connection extends EventEmitter {
  readonly secure = Object.assign(new EventEmitter(), { bytesRead: 0 });
  readonly bytesRead = 0;
  readonly destroyed = false;
  readonly remoteAddress: string;
  reading = true;
  resets = 0;
  readonly _handle = { readStop: () => (this.reading = false), readStart: () => (this.reading = true) };

  constructor(limit: RecordLimit, remoteAddress = '127.0.0.2') {
    super();
    this.remoteAddress = remoteAddress;
    limit.watch(this as unknown as Socket, this.secure as unknown as Socket, () => {
      this.resets += 1;
    });
  }

  /** OpenSSL logs a secret for each KeyUpdate, and another one for its answer. */
  update(times: number): void {
    for (let left = times; left > 0; left -= 1) this.secure.emit('keylog', Buffer.from('CLIENT_TRAFFIC_SECRET_N'));
  }
}

it('a connection that floods with KeyUpdates is reset, and the others are read on, one in an iteration', async () => {
  const limit = new RecordLimit(createManualClock(), createRecordedLog());
  const [flooding, ...others] = Array.from({ length: 6 }, () => new Connection(limit));
  flooding?.update(2_400);
  expect([flooding, ...others].some((connection) => connection?.reading)).toBe(false);
  expect(flooding?.resets, 'not while OpenSSL reads').toBe(0);
  const reading: number[] = [];
  for (let count = 0; count < 6; count += 1) {
    await iteration();
    reading.push(others.filter((connection) => connection.reading).length);
  }
  expect(flooding).toMatchObject({ resets: 1, reading: false });
  expect(reading).toEqual([1, 2, 3, 4, 5, 5]);
  expect(others.map(({ resets }) => resets)).toEqual([0, 0, 0, 0, 0]);
});

it('connections that send a few KeyUpdates each, all at once, are read in turn, addresses in turn', async () => {
  const limit = new RecordLimit(createManualClock(), createRecordedLog());
  const many = Array.from({ length: 100 }, () => new Connection(limit));
  const honest = new Connection(limit, '127.0.0.3');
  for (const connection of many) if (connection.reading) connection.update(8);
  expect(many.filter(({ reading }) => reading)).toEqual([]);
  await iteration();
  await iteration();
  expect(honest.reading).toBe(true);
  expect(many.filter(({ reading }) => reading)).toHaveLength(1);
  expect(many.some(({ resets }) => resets > 0)).toBe(false);
});

it('a KeyUpdate now and then is nothing', async () => {
  const clock = createManualClock();
  const limit = new RecordLimit(clock, createRecordedLog());
  const connection = new Connection(limit);
  for (let times = 0; times < 100; times += 1) {
    connection.update(2);
    clock.advance(500);
    await iteration();
  }
  expect(connection).toMatchObject({ resets: 0, reading: true });
});
