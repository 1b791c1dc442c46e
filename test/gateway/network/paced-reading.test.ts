import { Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { PacedReading } from '../../../src/gateway/network/paced-reading.ts';

/** Connections that are read as undici's parser does: until there is nothing more, at each event. */
function startReading({ finds = true, uses = 0 }: { readonly finds?: boolean; readonly uses?: number } = {}) {
  let now = 0;
  let tornDown = 0;
  const reading = new PacedReading({ monotonic: () => now });
  const pieces: { readonly target: string; readonly bytes: number }[] = [];
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    pieces,
    tornDown: () => tornDown,
    spend(milliseconds: number): void {
      now += milliseconds;
    },
    connect(target: string): Socket {
      const socket = new Socket();
      onTestFinished(() => void socket.destroy());
      const tearDown = socket._destroy.bind(socket);
      socket._destroy = (...args) => {
        now += 2;
        tornDown += 1;
        tearDown(...args);
      };
      reading.pace(socket, target);
      socket.on('readable', () => {
        for (let piece = socket.read(); piece !== null; piece = socket.read()) {
          pieces.push({ target, bytes: piece.length });
          // As a piece of header fields does.
          now += 1;
          // As a message does that is complete.
          void Promise.resolve().then(() => (now += uses));
          if (finds) reading.found();
        }
      });
      return socket;
    },
    /** The pieces that are read until the next iteration of the event loop. */
    async next(): Promise<readonly { readonly target: string; readonly bytes: number }[]> {
      const before = pieces.length;
      await turn();
      return pieces.slice(before);
    },
  };
}

const read = 64 * 1024;

it('what many connections have received is read in small pieces, for some milliseconds of each iteration', async () => {
  const { pieces, connect, next } = startReading();
  const sockets = Array.from({ length: 50 }, () => connect('a'));
  for (const socket of sockets) socket.push(Buffer.alloc(read));
  let most = 0;
  for (let sum = 0; sum < 50 * read; sum = pieces.reduce((all, { bytes }) => all + bytes, 0)) {
    most = Math.max(most, (await next()).length);
  }
  // Those that begin in an iteration come beside those that waited.
  expect(most).toBeLessThanOrEqual(2 * 5);
  expect(Math.max(...pieces.map(({ bytes }) => bytes))).toBe(2 * 1024);
  expect(pieces).toHaveLength(50 * 32);
});

it('the time in which messages are made of the pieces counts, too', async () => {
  const { pieces, connect, next } = startReading({ uses: 4 });
  for (let index = 0; index < 50; index += 1) connect('a').push(Buffer.alloc(1_000));
  await next();
  for (let before = pieces.length; before < 50; before = pieces.length) {
    expect((await next()).length).toBeLessThanOrEqual(2);
  }
});

it('a target with many connections keeps another one waiting for an iteration or two', async () => {
  const { connect, next } = startReading();
  for (let index = 0; index < 500; index += 1) connect('many').push(Buffer.alloc(read));
  await next();
  connect('one').push(Buffer.alloc(100));
  const after = [...(await next()), ...(await next()), ...(await next())];
  expect(after).toContainEqual({ target: 'one', bytes: 100 });
  expect(after.length).toBeLessThanOrEqual(4 * 2 * 5);
});

it('connections that are closed at once are torn down for some milliseconds of each iteration', async () => {
  const { connect, next, tornDown } = startReading();
  for (const socket of Array.from({ length: 40 }, () => connect('a'))) socket.destroy();
  expect(tornDown()).toBeLessThan(5);
  for (let before = tornDown(); before < 40; before = tornDown()) {
    await next();
    expect(tornDown() - before).toBeLessThanOrEqual(2 * 3);
  }
});

it('connections whose other side ends them at once end for some milliseconds of each iteration', async () => {
  const { connect, next, spend } = startReading();
  const sockets = Array.from({ length: 40 }, () => connect('a'));
  let ended = 0;
  const end = (): void => {
    ended += 1;
    spend(2);
  };
  for (const socket of sockets) {
    socket.once('end', end).resume().push(null);
    // Node emits the event before it takes what the next connection has received.
    await new Promise((resolve) => process.nextTick(resolve));
  }
  expect(ended).toBeLessThan(5);
  for (let before = ended; before < 40; before = ended) {
    await next();
    expect(ended - before).toBeLessThanOrEqual(2 * 3);
  }
});

it('what is left of a connection that was closed is read by nobody', async () => {
  const { pieces, connect, next } = startReading();
  const socket = connect('a');
  socket.push(Buffer.alloc(read));
  await next();
  const before = pieces.length;
  expect(before).toBeGreaterThan(0);
  expect(before).toBeLessThan(32);
  socket.destroy();
  for (let index = 0; index < 5; index += 1) await next();
  expect(pieces).toHaveLength(before);
  expect(socket.read()).toBeNull();
});

it('a connection that brings header fields or trailers without an end is closed', async () => {
  const { pieces, connect, next } = startReading({ finds: false });
  const socket = connect('a');
  const failed = new Promise<Error>((resolve) => void socket.once('error', resolve));
  socket.push(Buffer.alloc(read));
  while (!socket.destroyed) await next();
  expect((await failed).message).toContain('more than 20 KiB');
  expect(pieces).toHaveLength(11);
});
