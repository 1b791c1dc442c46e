import { expect, it } from 'vitest';
import { LoopIteration } from '../../../src/serve/transport/grpc-stream.ts';

it('A10 a stream has one request in an iteration of the event loop when all together have many, else four', async () => {
  const iteration = new LoopIteration();
  const first = iteration.count();
  expect(iteration.perStream).toBe(4);
  for (let requests = 1; requests < 256; requests += 1) expect(iteration.count()).toBe(first);
  expect(iteration.perStream).toBe(4);
  iteration.count();
  expect(iteration.perStream).toBe(1);
  await new Promise(setImmediate);
  expect([iteration.count() === first, iteration.perStream]).toEqual([false, 4]);
});
