import { describe, expect, it, onTestFinished } from 'vitest';
import { createHalfOpen } from '../../support/processes/half-open.ts';
import { connect, failureOf, firstEvent, get, kubeconfigFor, serve, textOf } from '../kube-rig.ts';

describe('a half-open connection', () => {
  it('is closed after three unanswered PINGs at 15 seconds', async () => {
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
    // Each round sends a request, as PINGs do in real time.
    for (let round = 0; round < 10 && !over; round++) {
      get(connection).catch(() => {});
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
