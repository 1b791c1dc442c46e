import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { createAuthenticator } from '../../src/gateway/authn/authn.ts';
import { isCurrent, whenExpired } from '../../src/gateway/callers.ts';
import type { Caller } from '../../src/gateway/model.ts';
import { createManualClock } from '../support/edges/manual-clock.ts';
import { createRecordedLog } from '../support/edges/recorded-log.ts';
import { createIssuer } from '../support/gateway/issuer.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** A caller of the first of two issuers, whose keys are in a file. */
async function createWorld() {
  const [clock, path] = [createManualClock(), join(temporaryFolder(), 'keys.json')];
  const [first, second] = await Promise.all([createIssuer('ES256', 'first'), createIssuer('ES256', 'second')]);
  const write = (...issuers: readonly (typeof first)[]): void => {
    writeFileSync(`${path}.new`, JSON.stringify({ keys: issuers.map(({ jwk }) => jwk) }));
    renameSync(`${path}.new`, path);
  };
  write(first, second);
  const config = { issuers: [], audiences: [], jwks: { kind: 'file', path } } as const;
  const authn = await createAuthenticator(config, { clock, log: createRecordedLog(), fetchText: async () => '' });
  const exp = Date.UTC(9999, 0, 1) / 1_000;
  const found = await authn.authenticate(`Bearer ${await first.sign({ sub: 'me', exp })}`);
  if (found.kind !== 'caller') throw new Error(found.message);
  return { clock, authn, first, second, write, caller: found.caller };
}

it('a caller whose key is withdrawn is current no longer, whatever end the token names', async () => {
  const { clock, authn, first, second, write, caller } = await createWorld();
  write({ ...first, jwk: { ...first.jwk, kid: 'renamed' } });
  clock.advance(1_000);
  await authn.authenticate(`Bearer ${await second.sign({ sub: 'other', exp: 0 })}`);
  expect(isCurrent(caller, clock)).toBe(true);
  write(second);
  clock.advance(1_000);
  await authn.authenticate(`Bearer ${await second.sign({ sub: 'other', exp: 0 })}`);
  expect(isCurrent(caller, clock)).toBe(false);
});

it('what is open for a caller ends when the key is withdrawn, also when nobody else asks', async () => {
  const { clock, second, write, caller } = await createWorld();
  const ended = vi.fn();
  whenExpired(caller, clock, ended);
  write(second);
  // The first look begins to read the file.
  clock.advance(15_000);
  await vi.waitFor(() => expect(isCurrent(caller, clock)).toBe(false), { timeout: 30_000 });
  expect(ended).not.toHaveBeenCalled();
  clock.advance(15_000);
  expect(ended).toHaveBeenCalledTimes(1);
  expect(clock.waiting()).toEqual([]);
});

it('what is open for a caller ends with the token, within seconds also when the clock was set forward', () => {
  const clock = createManualClock();
  const caller: Caller = { kind: 'principal', claims: {}, identity: 'me', expiresAt: clock.now() + 100_000 };
  const ended = vi.fn();
  whenExpired(caller, clock, ended);
  clock.advance(99_999);
  expect(ended).not.toHaveBeenCalled();
  clock.advance(1);
  expect(ended).toHaveBeenCalledTimes(1);
  whenExpired({ ...caller, expiresAt: clock.now() + 86_400_000 }, clock, ended);
  clock.jump(86_400_000);
  clock.advance(15_000);
  expect(ended).toHaveBeenCalledTimes(2);
  const stop = whenExpired({ ...caller, expiresAt: clock.now() + 100_000 }, clock, ended);
  stop();
  whenExpired({ kind: 'anonymous', reason: 'stdio' }, clock, ended);
  expect(clock.waiting()).toEqual([]);
});
