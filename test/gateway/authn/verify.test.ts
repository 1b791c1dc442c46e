import { expect, it, onTestFinished, vi } from 'vitest';
import { parseKeySet } from '../../../src/gateway/authn/key-set.ts';
import { verify } from '../../../src/gateway/authn/verify.ts';
import { createIssuer } from '../../support/gateway/issuer.ts';

const now = 1_900_000_000_000;
const claims = { sub: 'me', exp: now / 1_000 + 300 };

it('a token without a key id is tried with sixteen keys, however many may be meant', async () => {
  const issuers = await Promise.all(Array.from({ length: 20 }, () => createIssuer()));
  const keys = await parseKeySet(JSON.stringify({ keys: issuers.map(({ jwk }) => jwk) }));
  const check = async (token: string) => verify(token, keys, { issuers: [], audiences: [] }, now);
  const verified = vi.spyOn(crypto.subtle, 'verify');
  onTestFinished(() => void verified.mockRestore());
  const stranger = await createIssuer();
  expect(await check(await stranger.sign(claims))).toMatchObject({
    kind: 'invalid',
    keyMissing: false,
    message: 'The token names no key (kid), and none of the first 16 that may be meant fits',
  });
  expect(verified).toHaveBeenCalledTimes(16);
  const [last, next] = issuers.slice(15);
  expect((await check((await last?.sign(claims)) ?? '')).kind).toBe('verified');
  expect((await check((await next?.sign(claims)) ?? '')).kind).toBe('invalid');
});
