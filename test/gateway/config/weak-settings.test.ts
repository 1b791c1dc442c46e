import { describe, expect, it } from 'vitest';
import { decodeConfig } from '../../../src/gateway/config/decode.ts';
import { guideConfig } from '../../support/processes/guide.ts';

const warningsOf = (change: object): readonly string[] => {
  const { listener } = guideConfig;
  const json = { ...guideConfig, listener: { ...listener, authn: { ...listener.authn, ...change } } };
  return decodeConfig(json, (path) => path).warnings;
};

describe('a setting that weakens authentication', () => {
  it('is a warning: no audience, no issuer, keys without TLS', () => {
    const said = warningsOf({
      issuer: [],
      audience: undefined,
      jwks: { type: 'remote', url: 'http://idp', port: 80 },
    });
    expect(said.map((line) => line.slice(0, line.indexOf(':')))).toEqual([
      'listener.authn.audience',
      'listener.authn.issuer',
      'listener.authn.jwks.url',
    ]);
  });

  it('is named as it was written: keys without TLS that are discovered, or those of one of several issuers', () => {
    const discovery = { type: 'discovery' };
    const remote = { type: 'remote', url: 'http://idp' };
    const said = [
      { issuer: ['http://idp.example'], jwks: discovery },
      {
        issuer: undefined,
        jwks: undefined,
        issuers: [{ issuer: 'https://a.example' }, { issuer: 'http://b.example' }],
      },
      { issuer: undefined, jwks: undefined, issuers: [{ issuer: 'https://a.example', jwks: remote }] },
    ].map((authn) => warningsOf({ audience: ['a'], ...authn }).join());
    expect(said).toEqual([
      expect.stringMatching(/^listener\.authn\.issuer: keys come without TLS/),
      expect.stringMatching(/^listener\.authn\.issuers\[1\]\.issuer: keys come without TLS/),
      expect.stringMatching(/^listener\.authn\.issuers\[0\]\.jwks\.url: keys come without TLS/),
    ]);
  });
});
