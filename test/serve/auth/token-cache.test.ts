import { describe, expect, it } from 'vitest';
import { TokenCache, type Verification } from '../../../src/serve/auth/token-cache.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedCounters } from '../../support/edges/recorded-counters.ts';

const account = { namespace: 'red', name: 'gw' };
const valid: Verification = { kind: 'valid', account, isKeyAccepted: () => true };
const invalid: Verification = { kind: 'invalid', message: 'no' };
const away: Verification = { kind: 'unavailable', message: 'away' };

/** A cache whose verifier is asked, and answered by the test. */
function rig(): {
  readonly clock: ReturnType<typeof createManualClock>;
  readonly asked: { readonly token: string; readonly answer: (verification: Verification) => void }[];
  readonly verify: (token?: string, address?: string) => Promise<Verification>;
} {
  const clock = createManualClock();
  const asked: { readonly token: string; readonly answer: (verification: Verification) => void }[] = [];
  const cache = new TokenCache({
    clock,
    counters: createRecordedCounters(),
    verify: (token) => new Promise((answer) => asked.push({ token, answer })),
  });
  const expires = clock.now() + 600_000;
  return { clock, asked, verify: async (token = 't', address = 'a') => cache.verify(token, expires, address) };
}

async function settle(): Promise<void> {
  for (let left = 20; left > 0; left -= 1) await Promise.resolve();
}

describe('a token', () => {
  it('that is asked about several times at once is verified once', async () => {
    const { asked, verify } = rig();
    const all = [verify(), verify(), verify()];
    await settle();
    expect(asked).toHaveLength(1);
    asked[0]?.answer(valid);
    expect(await Promise.all(all)).toEqual([valid, valid, valid]);
  });

  it('that was good counts for a minute without being asked again, also when the clock is set back', async () => {
    const { asked, verify, clock } = rig();
    const first = verify();
    await settle();
    asked[0]?.answer(valid);
    await first;
    clock.advance(59_999);
    expect(await verify()).toEqual(valid);
    expect(asked).toHaveLength(1);
    clock.advance(1);
    void verify();
    await settle();
    expect(asked).toHaveLength(2);
  });

  it('that was good goes on being good while nothing can be verified, and until it is refused', async () => {
    const { asked, verify, clock } = rig();
    const ask = async (answer: Verification): Promise<Verification> => {
      const verification = verify();
      await settle();
      asked.at(-1)?.answer(answer);
      return verification;
    };
    await ask(valid);
    clock.advance(60_000);
    expect(await ask(away)).toEqual(valid);
    expect(await ask(invalid)).toEqual(invalid);
    clock.advance(10_000);
    expect(await ask(away)).toEqual(away);
  });

  it('that was bad counts as bad for ten seconds', async () => {
    const { asked, verify, clock } = rig();
    const first = verify();
    await settle();
    asked[0]?.answer(invalid);
    await first;
    expect(await verify()).toEqual(invalid);
    expect(asked).toHaveLength(1);
    clock.advance(10_000);
    void verify();
    await settle();
    expect(asked).toHaveLength(2);
  });
});

describe('a token that has to be verified', () => {
  it('waits while 64 are verified, and one of another address is next', async () => {
    const { asked, verify } = rig();
    for (let number = 0; number < 100; number += 1) void verify(`t${number}`, 'flood');
    void verify('honest', 'b');
    await settle();
    expect(asked).toHaveLength(64);
    asked[0]?.answer(valid);
    asked[1]?.answer(valid);
    await settle();
    expect(asked.slice(64).map(({ token }) => token)).toContain('honest');
  });

  it('and about which no answer comes in time is not verified', async () => {
    const { verify, clock } = rig();
    const verification = verify();
    await settle();
    clock.advance(15_000);
    expect(await verification).toMatchObject({ kind: 'unavailable' });
  });
});
