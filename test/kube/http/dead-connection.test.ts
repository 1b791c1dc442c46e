import { describe, expect, it, onTestFinished } from 'vitest';
import type { KubeConnection } from '../../../src/kube/model.ts';
import { createHalfOpen } from '../../support/processes/half-open.ts';
import { connect, failureOf, firstEvent, get, kubeconfigFor, serve, textOf } from '../kube-rig.ts';

describe('a half-open connection', () => {
  it.each([
    ['three unanswered PINGs at 15 seconds', (connection: KubeConnection) => void get(connection).catch(() => {})],
    // As one does whose session waits for a write that never ends.
    ['45 seconds in which it does not even send a PING', () => {}],
  ] as const)('is closed after %s', async (_, send) => {
    const server = await serve(firstEvent);
    const way = await createHalfOpen(new URL(server.url).host);
    onTestFinished(way.close);
    const { connection, clock } = await connect(await kubeconfigFor({ url: `https://${way.address}` }));
    const reading = textOf(await connection.send({ method: 'GET', path: '/watch' }));
    const ended = failureOf(reading);

    clock.advance(15_000);
    way.cut();
    let over = false;
    void ended.then(() => {
      over = true;
    });
    // A request is written as PINGs are in real time.
    for (let round = 0; round < 10 && !over; round++) {
      send(connection);
      await aFewTurns();
      clock.advance(15_000);
      await aFewTurns();
    }
    expect(await ended).toBe(`${connection.server} does not answer: nothing comes on this connection any more`);
  });

  it('is kept while the server answers', async () => {
    const server = await serve(firstEvent);
    const { connection, clock } = await connect(await kubeconfigFor(server));
    const watch = await connection.send({ method: 'GET', path: '/watch' });
    for (let i = 0; i < 10; i++) {
      expect((await get(connection)).status).toBe(200);
      clock.advance(15_000);
    }
    expect(server.opened()).toBe(1);
    server.seen[0]?.end();
    expect(await textOf(watch)).toBe('first');
  });
});

/** Requests are written, and connections closed, at the end of a turn of the event loop. */
async function aFewTurns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
}
