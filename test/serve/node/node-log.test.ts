import { expect, it, onTestFinished } from 'vitest';
import { createRawConnection, grpcFrame } from '../../support/nodes/raw-stream.ts';
import { deltaRequest } from '../../support/nodes/requests.ts';
import { delta, deltaOf, gatewayNode as node, startServedWorld } from '../../support/worlds/served-world.ts';

it('an address whose streams are ended again and again fills no log', async () => {
  const world = await startServedWorld();
  const neighbour = await world.following();
  const connection = createRawConnection(world.address);
  onTestFinished(() => connection.close());
  const ended = async (): Promise<unknown> => {
    const stream = connection.open();
    await stream.write(grpcFrame(deltaRequest({ node })));
    const end = await stream.ended;
    stream.reset();
    return end;
  };
  for (let count = 0; count < 200; count += 1) expect(await ended()).toEqual({ grpcStatus: 3 });

  expect(world.log.lines.length).toBeLessThanOrEqual(60);
  expect(world.log.lines.filter(({ message }) => message.includes('are left out'))).toHaveLength(1);
  world.put('a/for-the-neighbour');
  expect(deltaOf(await neighbour.accept())).toEqual(delta(['a/for-the-neighbour']));
});
