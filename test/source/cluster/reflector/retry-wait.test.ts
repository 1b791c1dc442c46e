import { describe, expect, it } from 'vitest';
import { retryWait } from '../../../../src/source/cluster/reflector/retry-wait.ts';
import { createManualClock } from '../../../support/edges/manual-clock.ts';

/** A wait of ten seconds. */
function wait() {
  const clock = createManualClock();
  const stop = new AbortController();
  let recover = (): void => {};
  let ended: boolean | undefined;
  const over = retryWait({
    milliseconds: 10_000,
    clock,
    onRecovery: (run) => {
      recover = run;
      return () => {};
    },
    stop: stop.signal,
  }).then((result) => {
    ended = result;
  });
  const settled = async (): Promise<boolean | undefined> => {
    await Promise.race([over, Promise.resolve().then(() => undefined)]);
    await new Promise(setImmediate);
    return ended;
  };
  return { clock, stop, recover: () => recover(), settled };
}

describe('a wait', () => {
  it('ends with its time', async () => {
    const { clock, settled } = wait();
    clock.advance(9_999);
    expect(await settled()).toBeUndefined();
    clock.advance(1);
    expect(await settled()).toBe(true);
    expect(clock.waiting()).toEqual([]);
  });

  it('ends with the recovery, and leaves no timer', async () => {
    const { clock, recover, settled } = wait();
    recover();
    expect(await settled()).toBe(true);
    expect(clock.waiting()).toEqual([]);
  });

  it('ends when the program stops', async () => {
    const { clock, stop, settled } = wait();
    stop.abort();
    expect(await settled()).toBe(false);
    expect(clock.waiting()).toEqual([]);
  });
});
