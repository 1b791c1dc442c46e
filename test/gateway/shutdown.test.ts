import { expect, it } from 'vitest';
import { createShutdown } from '../../src/gateway/shutdown.ts';
import { createManualClock } from '../support/edges/manual-clock.ts';

it('steps run in reverse order, one after the other, and one that fails does not stop the others', async () => {
  const done: string[] = [];
  const shutdown = createShutdown(createManualClock(), 1000);
  shutdown.add(() => done.push('first'));
  shutdown.add(() => {
    throw new Error('broken');
  });
  shutdown.add(async () => {
    await Promise.resolve();
    done.push('last');
  });
  expect(shutdown.begun()).toBe(false);
  const over = [shutdown.run(), shutdown.run()];
  expect(shutdown.begun()).toBe(true);
  await Promise.all(over);
  expect(done).toEqual(['last', 'first']);
});

it('a step that hangs delays the others until the end of the grace time', async () => {
  const clock = createManualClock();
  const done: string[] = [];
  const shutdown = createShutdown(clock, 1000);
  shutdown.add(() => done.push('after'));
  shutdown.add(() => new Promise(() => {}));
  const over = shutdown.run();
  expect(clock.waiting()).toEqual([1000]);
  expect(done).toEqual([]);
  clock.advance(1000);
  await over;
  expect(done).toEqual(['after']);
});

it('no timer is left when all steps are done', async () => {
  const clock = createManualClock();
  await createShutdown(clock, 1000).run();
  expect(clock.waiting()).toEqual([]);
});
