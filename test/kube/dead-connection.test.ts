import { describe, expect, it } from 'vitest';
import { createHalfOpen } from '../support/half-open.ts';
import { connect, ending, failureOf, firstEvent, get, kubeconfigFor, serve, textOf } from './kube-rig.ts';

describe('a connection that died without a word', () => {
  it('is ended after three times 15 seconds in which the server was asked and nothing came', async () => {
    const server = await serve(firstEvent);
    const way = await createHalfOpen(new URL(server.url).host);
    ending(way.close);
    const { connection, clock } = await connect(await kubeconfigFor({ url: `https://${way.address}` }));
    const reading = textOf(await connection.send({ method: 'GET', path: '/watch' }));
    const ended = failureOf(reading);

    clock.advance(15_000);
    way.cut();
    const asked = [];
    for (let i = 0; i < 3; i++) {
      asked.push(failureOf(get(connection)));
      await written();
      clock.advance(15_000);
    }
    expect(await ended).toBe(`${connection.server} does not answer: nothing comes on this connection any more`);
    const late = `${connection.server} did not answer within 30 seconds`;
    expect((await Promise.all(asked)).slice(0, 1)).toEqual([late]);
  });

  it('is not suspected while the server answers', async () => {
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

/** Requests leave with the end of the event loop's turn. */
async function written(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
}
