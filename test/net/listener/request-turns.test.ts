import { expect, it } from 'vitest';
import { RequestTurns } from '../../../src/net/listener/request-turns.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';

const iteration = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Lets everything happen that needs no time. */
async function settle(): Promise<void> {
  for (let count = 0; count < 12; count += 1) await iteration();
}

it('the parts of all long answers are turns, after each of which others have as much time', async () => {
  const clock = createManualClock();
  const turns = new RequestTurns(clock);
  const made: string[] = [];
  const answer = (name: string, address: string): void => {
    void turns.run(address, async (pause) => {
      for (let part = 1; part <= 3; part += 1) {
        clock.advance(5);
        made.push(`${name}${part}`);
        await pause();
      }
    });
  };
  for (const name of ['a', 'b', 'c']) answer(name, '127.0.0.2');
  answer('z', '127.0.0.3');
  await settle();
  expect(made, 'one part, and then a rest').toEqual(['a1']);
  expect(clock.waiting()).toEqual([5]);
  for (let rests = 0; rests < 12; rests += 1) {
    clock.advance(5);
    await settle();
  }
  expect(made.length).toBe(12);
  expect(
    made.filter((part) => part.startsWith('z')),
    'addresses take turns',
  ).toEqual(['z1', 'z2', 'z3']);
  expect(made.indexOf('z3')).toBeLessThan(6);
});

it('an address has three quarters of the answers that may be open, and no more', async () => {
  const turns = new RequestTurns(createManualClock());
  const open = Array.from({ length: 60 }, () => turns.run('127.0.0.2', () => 'done'));
  expect(open.filter((answer) => answer !== undefined)).toHaveLength(48);
  await expect(turns.run('127.0.0.3', () => 'another')).resolves.toBe('another');
  await Promise.all(open);
  await expect(turns.run('127.0.0.2', () => 'again')).resolves.toBe('again');
});
