import { beforeEach, describe, expect, it } from 'vitest';
import { createAuthenticator } from '../../../src/gateway/authn/authn.ts';
import { discoverKeys } from '../../../src/gateway/authn/discovery.ts';
import { openRemoteKeys } from '../../../src/gateway/authn/remote-keys.ts';
import type { TextFetch } from '../../../src/net/outbound/text-fetch.ts';
import { createManualClock, type ManualClock } from '../../support/edges/manual-clock.ts';
import { createRecordedLog, type RecordedLog } from '../../support/edges/recorded-log.ts';
import { createIssuer } from '../../support/gateway/issuer.ts';
import { guideJwk } from '../../support/processes/guide.ts';

const issuer = 'https://login.example/realms/tools';
const places = [
  'https://login.example/.well-known/oauth-authorization-server/realms/tools',
  'https://login.example/.well-known/openid-configuration/realms/tools',
  'https://login.example/realms/tools/.well-known/openid-configuration',
] as const;
const keysAt = 'https://keys.example/tools';
const metadata = (change: object = {}): string => JSON.stringify({ issuer, jwks_uri: keysAt, ...change });

/** The documents of the web, by URL; others do not exist. */
let documents: Map<string, string>;
let asked: string[];
const fetchText: TextFetch = async (url) => {
  asked.push(String(url));
  const text = documents.get(String(url));
  if (text === undefined) throw new Error('answered with status 404');
  return text;
};
let clock: ManualClock;
let log: RecordedLog;
beforeEach(() => {
  [documents, asked, clock, log] = [new Map(), [], createManualClock(), createRecordedLog()];
});

describe('the keys of an issuer', () => {
  it.each([0, 1, 2])('are found by its metadata, in the order of MCP: place %i', async (index) => {
    documents.set(places[index] ?? '', metadata());
    expect((await discoverKeys(issuer, fetchText, () => 1_000)).href).toBe(keysAt);
    expect(asked).toEqual(places.slice(0, index + 1));
  });

  it.each<[string, string, string]>([
    [
      'names another issuer',
      metadata({ issuer: `${issuer}/` }),
      'names the issuer "https://login.example/realms/tools/"',
    ],
    ['names none', metadata({ issuer: undefined }), 'names the issuer "" instead of'],
    ['is no object', '[]', 'is no JSON object'],
    ['is no JSON', '<html>', 'is no JSON object'],
    ['has no keys', metadata({ jwks_uri: undefined }), 'has no jwks_uri'],
    ['has keys in a file', metadata({ jwks_uri: 'file:///etc/keys' }), 'has no jwks_uri'],
    ['has keys without TLS', metadata({ jwks_uri: 'http://keys.example/' }), 'has a jwks_uri without TLS'],
  ])('are not taken from metadata that %s, nor from another place', async (_, text, problem) => {
    documents.set(places[0], text).set(places[1], metadata());
    await expect(discoverKeys(issuer, fetchText, () => 1_000)).rejects.toThrow(problem);
    expect(asked).toEqual([places[0]]);
  });

  it('that has no metadata cannot be found: the error names the last place', async () => {
    await expect(discoverKeys(issuer, fetchText, () => 1_000)).rejects.toThrow(`${places[2]} cannot be read`);
  });
});

describe('discovered keys', () => {
  const jwks = { kind: 'discovery', issuer, initialTimeout: 3_000, refreshInterval: 86_400_000 } as const;
  const named = (kid: string): string => JSON.stringify({ ...guideJwk, kid });

  it('are fetched again without the metadata, which is read again after ten minutes', async () => {
    documents.set(places[0], metadata()).set(keysAt, named('a'));
    const source = openRemoteKeys(jwks, { clock, log, fetchText });
    const first = await source.keys();
    expect(first?.kids).toEqual(['a']);
    documents.set(keysAt, named('b'));
    await settled();
    clock.advance(10_000);
    expect((await source.keys(first))?.kids).toEqual(['b']);
    expect(asked).toEqual([places[0], keysAt, keysAt]);
    documents
      .set(places[0], metadata({ jwks_uri: 'https://moved.example/' }))
      .set('https://moved.example/', named('c'));
    await settled();
    clock.advance(600_000);
    expect((await source.keys(source.current))?.kids).toEqual(['c']);
    source.stop();
  });

  it('have one time limit for all documents and the keys, of which a place that hangs leaves a part', async () => {
    const timeouts: number[] = [];
    const slow: TextFetch = async (url, { timeout }) => {
      timeouts.push(timeout);
      // Every place takes all the time that it has, but the last one, which answers.
      if (String(url) === places[2]) return metadata();
      clock.advance(timeout);
      throw new Error('no answer');
    };
    const source = openRemoteKeys(jwks, { clock, log, fetchText: slow });
    expect(await source.keys()).toBeUndefined();
    expect(timeouts).toEqual([1_500, 750, 375, 750]);
    source.stop();
  });

  it('stay in use when the metadata names another issuer later', async () => {
    documents.set(places[0], metadata()).set(keysAt, named('a'));
    const source = openRemoteKeys(jwks, { clock, log, fetchText });
    const first = await source.keys();
    documents.set(places[0], metadata({ issuer: 'https://evil.example', jwks_uri: 'https://evil.example/' }));
    documents.set('https://evil.example/', named('evil'));
    await settled();
    clock.advance(600_000);
    expect((await source.keys(first))?.kids).toEqual(['a']);
    expect(asked).not.toContain('https://evil.example/');
    expect(log.text()).toContain('the last good keys stay in use');
    source.stop();
  });
});

describe('several issuers', () => {
  const seconds = (): number => Math.floor(clock.now() / 1_000);

  it('have keys of their own: none can sign for another one, and an unknown one is refused', async () => {
    const [one, two] = await Promise.all([createIssuer('ES256', 'k'), createIssuer('ES256', 'k')]);
    const sources = new Map([
      ['one', { kind: 'inline', text: JSON.stringify(one.jwk) }],
      ['two', { kind: 'inline', text: JSON.stringify(two.jwk) }],
    ] as const);
    const authn = await createAuthenticator(
      { issuers: ['one', 'two'], audiences: ['me.com'], jwks: { kind: 'by issuer', sources } },
      { clock, log, fetchText },
    );
    const ask = async (signer: typeof one, iss: string | undefined): Promise<string> => {
      const claims = { sub: 'me', aud: 'me.com', exp: seconds() + 60, ...(iss !== undefined && { iss }) };
      const answer = await authn.authenticate(`Bearer ${await signer.sign(claims)}`);
      return answer.kind === 'refused' ? answer.reason : answer.kind;
    };
    expect(await ask(one, 'one')).toBe('caller');
    expect(await ask(two, 'two')).toBe('caller');
    expect(await ask(one, 'two')).toBe('ERR_JWS_SIGNATURE_VERIFICATION_FAILED');
    expect(await ask(two, 'one')).toBe('ERR_JWS_SIGNATURE_VERIFICATION_FAILED');
    for (const iss of ['three', undefined]) expect(await ask(one, iss)).toBe('ERR_UNKNOWN_ISSUER');
    expect(authn.status()).toMatchObject({ issuers: ['one', 'two'], keys: ['k', 'k'] });
  });

  it('are logged with the key id, once per reason, when their tokens are refused', async () => {
    const [known, stranger] = await Promise.all([createIssuer('ES256', 'known'), createIssuer('ES256', 'unknown key')]);
    const authn = await createAuthenticator(
      { issuers: ['me'], audiences: ['me.com'], jwks: { kind: 'inline', text: JSON.stringify({ keys: [known.jwk] }) } },
      { clock, log, fetchText },
    );
    const unfit = await stranger.sign({ iss: 'https://other.example', exp: seconds() + 60 });
    const expired = await known.sign({ iss: 'me', aud: 'me.com', exp: seconds() - 600 });
    for (const sent of [unfit, unfit, expired, expired]) await authn.authenticate(`Bearer ${sent}`);
    const shown = log.lines.filter(({ level }) => level !== 'debug');
    expect(shown).toMatchObject([
      { level: 'warn', fields: { issuer: 'https://other.example', kid: 'unknown key' } },
      { level: 'info', fields: { code: 'ERR_JWT_EXPIRED', issuer: 'me', kid: 'known' } },
    ]);
  });

  it('allow the clocks to differ by the configured time', async () => {
    const signer = await createIssuer('ES256', 'k');
    const tolerant = async (clockTolerance: number | undefined): Promise<string> => {
      const authn = await createAuthenticator(
        { issuers: [], audiences: [], jwks: { kind: 'inline', text: JSON.stringify(signer.jwk) }, clockTolerance },
        { clock, log, fetchText },
      );
      return (await authn.authenticate(`Bearer ${await signer.sign({ exp: seconds() - 30 })}`)).kind;
    };
    expect([await tolerant(undefined), await tolerant(0), await tolerant(29), await tolerant(31)]).toEqual([
      'caller',
      'refused',
      'refused',
      'caller',
    ]);
  });
});

/** Lets what was resolved be handled, timers included. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
