import { describe, expect, it } from 'vitest';
import type { PolicyJwt } from '../../../src/resources/model.ts';
import { type Mapping, object, problemsOf, resource } from '../objects.ts';

const key = '{"kty":"OKP","kid":"a","crv":"Ed25519","x":"d_t7nAu2sG2EB2emi8kwd1nNk-ytjjciz6GJrz1o_HE"}';
const provider: Mapping = { issuer: 'me', audiences: ['me.com'], jwks: { inline: key } };
const written = (jwt: unknown): Mapping => object('MCPAuthPolicy', { targetRefs: [{ name: 'gw' }], jwt });
const decoded = (jwt: unknown): PolicyJwt => {
  const parsed = resource('MCPAuthPolicy', written(jwt)).jwt;
  if (parsed?.ok !== true) throw new Error(parsed?.reason);
  return parsed.value;
};
const problems = (jwt: unknown): readonly string[] => problemsOf('MCPAuthPolicy', written(jwt));

describe('spec.jwt', () => {
  it('has the keys of a text and the addresses of others, and needs no rules', () => {
    const uri = 'https://issuer.example/jwks';
    const jwt = { providers: [provider, { ...provider, jwks: { uri } }] };
    expect(decoded(jwt).providers).toMatchObject([
      { ok: true, value: { issuer: 'me', jwks: { kind: 'inline', keys: [{ kid: 'a' }], dropped: [] } } },
      { ok: true, value: { audiences: ['me.com'], jwks: { kind: 'uri', uri } } },
    ]);
    expect(problems(jwt)).toEqual([]);
  });

  it('is of no policy that does not have it, and invalid in one with an unknown field', () => {
    const { jwt: _, ...spec } = { targetRefs: [{ name: 'gw' }], jwt: undefined };
    expect(resource('MCPAuthPolicy', object('MCPAuthPolicy', spec)).jwt).toBeUndefined();
    expect(resource('MCPAuthPolicy', object('MCPAuthPolicy', { ...spec, jtw: {} })).jwt).toMatchObject({ ok: false });
  });

  it('leaves an invalid provider out, and one with an invalid audience is invalid', () => {
    const [first, second] = decoded({ providers: [{ ...provider, audiences: ['me.com', 5] }, provider] }).providers;
    expect(first).toMatchObject({ ok: false, reason: expect.stringContaining('audiences[1]') });
    expect(second).toMatchObject({ ok: true });
  });

  it('leaves metadata out that is invalid, or beside several providers', () => {
    const url = 'https://mcp.example/mcp';
    const metadata = { resource: url, authorizationServers: [url] };
    expect(decoded({ providers: [provider], resourceMetadata: metadata }).resourceMetadata).toMatchObject({
      value: { ...metadata, scopesSupported: [] },
    });
    const others = [
      { providers: [provider], resourceMetadata: { resource: url } },
      { providers: [provider, provider], resourceMetadata: metadata },
    ];
    for (const jwt of others) expect(decoded(jwt).resourceMetadata).toMatchObject({ ok: false });
  });

  it('has at most eight providers', () => {
    expect(decoded({ providers: Array(9).fill(provider) }).providers).toHaveLength(8);
  });

  it('warns of signers that accept too much, and never repeats a text of keys', () => {
    const secret = '{"kty":"oct","kid":"a","k":"c2VjcmV0"}';
    const told = problems({
      providers: [
        { issuer: 'me', jwks: { uri: 'http://issuer.example/jwks' } },
        { ...provider, jwks: { inline: secret } },
        { ...provider, jwks: { inline: `${secret}}` } },
      ],
    });
    expect(told).toEqual([
      expect.stringMatching(/^\w+ spec\.jwt\.providers\[0\]\.audiences has no entry/),
      expect.stringMatching(/^\w+ spec\.jwt\.providers\[0\]\.jwks\.uri is http/),
      expect.stringMatching(/^\w+ spec\.jwt\.providers\[1\]\.jwks\.inline has the key "a", which is a shared secret/),
      'error spec.jwt.providers[2].jwks.inline cannot be used: it is not JSON.',
    ]);
    expect(told.join()).not.toContain('c2VjcmV0');
  });
});
