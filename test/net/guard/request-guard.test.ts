import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { authorize, type GuardRefusal, keepAuthorized } from '../../../src/net/guard/request-guard.ts';
import { createManualClock, type ManualClock } from '../../support/edges/manual-clock.ts';

const request = { method: 'GET', path: '/events', authorization: ['Bearer a'], address: '10.0.0.1' };
const away: GuardRefusal = { status: 503, message: 'nobody can be asked' };

interface Kept {
  readonly clock: ManualClock;
  readonly ended: () => number;
  readonly stop: () => void;
  /** Waits for the next decision and gives this one. */
  decide(decision: GuardRefusal | undefined | Error): Promise<void>;
}

function keep(): Kept {
  const clock = createManualClock();
  let decision: GuardRefusal | undefined | Error;
  let ended = 0;
  const guard = async (): Promise<GuardRefusal | undefined> => {
    if (decision instanceof Error) throw decision;
    return decision;
  };
  const stop = keepAuthorized(guard, request, clock, () => {
    ended += 1;
  });
  return {
    clock,
    stop,
    ended: () => ended,
    async decide(next) {
      decision = next;
      clock.advance(30_000);
      await turn();
    },
  };
}

describe('an answer that does not end', () => {
  it.each([401, 403] as const)('is ended at the first decision that refuses it: %d', async (status) => {
    const { decide, ended, clock } = keep();
    await decide(undefined);
    expect(ended()).toBe(0);
    await decide({ status, message: 'not any more' });
    expect({ ended: ended(), timers: clock.waiting() }).toEqual({ ended: 1, timers: [] });
  });

  it.each([['503', away] as const, ['an error', new Error('a bug')] as const])(
    'goes on for ten minutes while nobody can be asked, and then ends: %s',
    async (_, decision) => {
      const { decide, ended } = keep();
      for (let left = 19; left > 0; left -= 1) await decide(decision);
      expect(ended()).toBe(0);
      await decide(decision);
      expect(ended()).toBe(1);
    },
  );

  it('has ten minutes again after each decision that allows it', async () => {
    const { decide, ended } = keep();
    for (let round = 0; round < 3; round += 1) {
      for (let left = 19; left > 0; left -= 1) await decide(away);
      await decide(undefined);
    }
    expect(ended()).toBe(0);
  });

  it('is ended in an outage by a decision that needs nobody', async () => {
    const { decide, ended } = keep();
    await decide(away);
    await decide({ status: 401, message: 'the token has expired' });
    expect(ended()).toBe(1);
  });

  it('is not asked about after its end', async () => {
    const { clock, stop } = keep();
    stop();
    expect(clock.waiting()).toEqual([]);
  });
});

it('a new request is refused when the guard fails', async () => {
  const refusal = await authorize(() => Promise.reject(new Error('a bug')), request);
  expect(refusal).toMatchObject({ status: 503 });
});
