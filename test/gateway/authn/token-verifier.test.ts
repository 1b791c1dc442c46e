import { randomBytes } from 'node:crypto';
import { setImmediate as iteration } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createAuthenticator } from '../../../src/gateway/authn/authn.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedLog } from '../../support/edges/recorded-log.ts';
import { createIssuer } from '../../support/gateway/issuer.ts';

const tenMinutes = 600;

it('of tokens that name keys that nobody has, 768 of an issuer wait for them, and go on one by one', async () => {
  const [clock, log] = [createManualClock(), createRecordedLog()];
  const [known, unknown] = [await createIssuer('ES256', 'known'), await createIssuer()];
  const fetches: PromiseWithResolvers<string>[] = [];
  const fetchText = (): Promise<string> => {
    const fetch = Promise.withResolvers<string>();
    fetches.push(fetch);
    return fetch.promise;
  };
  const jwks = {
    kind: 'remote',
    url: new URL('https://issuer.example/keys'),
    headers: new Map<string, string>(),
    refreshInterval: 3_600_000,
    initialTimeout: 5_000,
  } as const;
  const authn = await createAuthenticator({ issuers: [], audiences: [], jwks }, { clock, log, fetchText });
  const keys = JSON.stringify({ keys: [known.jwk] });
  fetches[0]?.resolve(keys);
  const claims = { exp: Math.floor(clock.now() / 1_000) + tenMinutes };
  const tokenOf = async (sub: string): Promise<string> => `Bearer ${await known.sign({ ...claims, sub })}`;
  expect(await authn.authenticate(await tokenOf('me'))).toMatchObject({ kind: 'caller' });
  clock.advance(10_000);

  const statuses: (number | undefined)[] = [];
  const all = Array.from({ length: 800 }, async () => {
    const token = await unknown.sign(claims, { kid: randomBytes(9).toString('hex') });
    const answer = await authn.authenticate(`Bearer ${token}`);
    statuses.push(answer.kind === 'refused' ? answer.status : undefined);
  });
  while (statuses.length < 800 - 768) await iteration();
  expect(new Set(statuses)).toEqual(new Set([503]));
  expect(await authn.authenticate(await tokenOf('another'))).toMatchObject({ kind: 'caller' });
  expect(statuses).toHaveLength(800 - 768);

  expect(fetches).toHaveLength(2);
  fetches[1]?.resolve(keys);
  let most = 0;
  for (let before = statuses.length; statuses.length < 800; before = statuses.length) {
    await iteration();
    most = Math.max(most, statuses.length - before);
  }
  expect(most).toBeLessThanOrEqual(2);
  await Promise.all(all);
  expect(statuses.filter((status) => status === 401)).toHaveLength(768);
});
