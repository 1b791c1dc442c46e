import { describe, expect, it } from 'vitest';
import type { Stop } from '../../src/edges.ts';
import { FairSemaphore } from '../../src/rate/fair-semaphore.ts';

/** Asks in this order, and returns what was granted so far, with the functions that give it back. */
async function ask(semaphore: FairSemaphore, keys: readonly string[], amount = 1) {
  const granted: string[] = [];
  const releases: Stop[] = [];
  for (const key of keys) {
    void semaphore.acquire(key, amount).then((release) => {
      granted.push(key);
      releases.push(release);
    });
  }
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  await settle();
  return {
    granted,
    async releaseNext() {
      releases.shift()?.();
      await settle();
    },
  };
}

describe('a fair semaphore', () => {
  it('grants as much as its capacity at once', async () => {
    const { granted, releaseNext } = await ask(new FairSemaphore(2), ['a', 'a', 'a', 'a']);
    expect(granted).toHaveLength(2);
    await releaseNext();
    expect(granted).toHaveLength(3);
  });

  it('grants keys in rotation, however often one of them has asked', async () => {
    const { granted, releaseNext } = await ask(new FairSemaphore(1), ['a', 'a', 'a', 'a', 'b', 'c', 'b']);
    for (let turn = 0; turn < 7; turn += 1) await releaseNext();
    expect(granted.join('')).toBe('aabcaba');
  });

  it('grants to a key that asks seldom before those that ask always', async () => {
    const semaphore = new FairSemaphore(1);
    const { granted, releaseNext } = await ask(semaphore, ['a', 'b', 'c', 'a', 'b', 'c']);
    for (let turn = 0; turn < 3; turn += 1) await releaseNext();
    const seldom = await ask(semaphore, ['d']);
    await releaseNext();
    expect([granted, seldom.granted]).toEqual([['a', 'b', 'c', 'a'], ['d']]);
  });

  it('keeps nothing of those who leave while they wait, and lets others go on who waited behind them', async () => {
    const semaphore = new FairSemaphore(2);
    const release = await semaphore.acquire('a');
    const leaving = new AbortController();
    const large = Promise.allSettled([semaphore.acquire('b', 2, leaving.signal)]);
    const { granted } = await ask(semaphore, ['c']);
    expect(granted).toEqual([]);
    leaving.abort(new Error('gone'));
    expect(await large).toMatchObject([{ status: 'rejected', reason: { message: 'gone' } }]);
    expect(granted).toEqual(['c']);
    release();
    await expect(semaphore.acquire('b', 1, leaving.signal)).rejects.toThrow('gone');
    expect((await ask(semaphore, ['d'])).granted, 'what was left is not held').toEqual(['d']);
  });

  it('grants more than its capacity when nothing else is held', async () => {
    const semaphore = new FairSemaphore(2);
    const small = await ask(semaphore, ['a']);
    const large = await ask(semaphore, ['b'], 10);
    const later = await ask(semaphore, ['c']);
    expect([small.granted, large.granted, later.granted]).toEqual([['a'], [], []]);
    await small.releaseNext();
    expect([large.granted, later.granted]).toEqual([['b'], []]);
    await large.releaseNext();
    expect(later.granted).toEqual(['c']);
  });

  it('gives back once what is released twice', async () => {
    const semaphore = new FairSemaphore(1);
    const release = await semaphore.acquire('a');
    release();
    release();
    const { granted } = await ask(semaphore, ['a', 'a']);
    expect(granted).toEqual(['a']);
  });
});
