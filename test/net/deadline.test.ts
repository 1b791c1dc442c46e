import { describe, expect, it } from 'vitest';
import { Deadline, within } from '../../src/net/deadline.ts';
import { createManualClock } from '../support/edges/manual-clock.ts';

const never = (): Promise<never> => new Promise(() => {});

describe('a time limit', () => {
  it('ends what takes longer, and tells it so', async () => {
    const clock = createManualClock();
    let told: unknown;
    const limited = within({ clock, milliseconds: 5_000 }, (signal) => {
      signal.addEventListener('abort', () => {
        told = signal.reason;
      });
      return never();
    });
    clock.advance(5_000);
    await expect(limited).rejects.toThrow('no answer within 5 s');
    expect(told).toBeInstanceOf(Error);
  });

  it('ends with the outer signal, also with one that was aborted before', async () => {
    const clock = createManualClock();
    const abort = new AbortController();
    const limit = { clock, milliseconds: 5_000, signal: abort.signal };
    const limited = within(limit, never);
    abort.abort(new Error('outer'));
    await expect(limited).rejects.toThrow('outer');
    await expect(within(limit, never)).rejects.toThrow('outer');
  });

  it('leaves nothing behind, however it ends', async () => {
    const clock = createManualClock();
    expect(await within({ clock, milliseconds: 5_000 }, () => Promise.resolve(7))).toBe(7);
    await expect(within({ clock, milliseconds: 5_000 }, () => Promise.reject(new Error('own')))).rejects.toThrow('own');
    expect(clock.waiting()).toEqual([]);
  });
});

describe('a deadline', () => {
  it('set anew counts from then on, and cleared never comes', () => {
    const clock = createManualClock();
    const deadline = new Deadline(clock);
    deadline.set(1_000, new Error('idle'));
    clock.advance(999);
    deadline.set(1_000, new Error('idle'));
    clock.advance(999);
    expect(deadline.signal.aborted).toBe(false);
    deadline.clear();
    clock.advance(10_000);
    expect(deadline.signal.aborted).toBe(false);
    deadline.set(1_000, new Error('idle'));
    clock.advance(1_000);
    expect(deadline.signal.reason).toEqual(new Error('idle'));
  });

  it('can be aborted before its time', () => {
    const deadline = new Deadline(createManualClock());
    deadline.abort(new Error('left'));
    expect(deadline.signal.reason).toEqual(new Error('left'));
  });

  it('leaves its parent when it is released', () => {
    const clock = createManualClock();
    const parent = new AbortController();
    const deadline = new Deadline(clock, parent.signal);
    deadline.set(1_000);
    deadline.release();
    parent.abort();
    expect([deadline.signal.aborted, clock.waiting()]).toEqual([false, []]);
  });
});
