import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeConfig } from '../../../src/gateway/config/decode.ts';
import type { BootstrapConfig } from '../../../src/gateway/config/model.ts';
import { parseJson } from '../../../src/json/json.ts';
import { guideConfig } from '../../support/processes/guide.ts';

const asIs = (path: string): string => path;
const decode = (json: unknown): BootstrapConfig => decodeConfig(json, asIs).config;
const warnings = (json: unknown): readonly string[] => decodeConfig(json, asIs).warnings;
const withListener = (change: object): object => ({ ...guideConfig, listener: { ...guideConfig.listener, ...change } });
const withAuthn = (change: object): object => withListener({ authn: { ...guideConfig.listener.authn, ...change } });
const withJwks = (jwks: unknown): object => withAuthn({ jwks });
const remote = (change: object): object =>
  withJwks({ type: 'remote', url: 'https://issuer.example', port: 443, ...change });

describe('the connection to the control plane', () => {
  const secured = (change: object): object => decodeConfig({ ...guideConfig, ...change }, (path) => `/m${path}`).config;

  it('may be TLS, with files of its own and a token', () => {
    const files = { ca: '/ca', cert: '/crt', key: '/key', server_name: 'xds' };
    expect(secured({ xds_address: 'https://a', xds_tls: files, xds_token_file: '/t' })).toMatchObject({
      xdsAddress: { host: 'a', port: 443 },
      xdsSecurity: { tls: { ca: '/m/ca', cert: '/m/crt', key: '/m/key', serverName: 'xds' }, token: '/m/t' },
    });
  });

  it('sends a token in plaintext when it is told to', () => {
    expect(secured({ xds_token_file: '/t', xds_token_over_plaintext: true })).toMatchObject({
      xdsSecurity: { tls: undefined, token: '/m/t' },
    });
  });
});

describe("the guide's configuration", () => {
  it('is decoded without a warning', () => {
    expect(decodeConfig(guideConfig, asIs)).toEqual({
      config: {
        xdsAddress: { host: 'kgateway.kgateway-system.svc.cluster.local', port: 9977 },
        xdsSecurity: { tls: undefined, token: undefined },
        metadata: new Map(),
        altXdsHostname: 'mcp-gateway.default.svc.cluster.local',
        listener: {
          type: 'sse',
          host: '0.0.0.0',
          port: 8080,
          authn: { issuers: ['me'], audiences: ['me.com'], jwks: { kind: 'file', path: '/config/jwks.json' } },
        },
        upstream: { ca: undefined, headersFile: undefined, passHeaders: [] },
      },
      warnings: [],
    });
  });

  it('may omit optional fields', () => {
    expect(decode({ type: 'xds', xds_address: 'http://[::1]:9977/', listener: { type: 'stdio' } })).toEqual({
      xdsAddress: { host: '::1', port: 9977 },
      xdsSecurity: { tls: undefined, token: undefined },
      metadata: new Map(),
      altXdsHostname: undefined,
      listener: { type: 'stdio' },
      upstream: { ca: undefined, headersFile: undefined, passHeaders: [] },
    });
    expect(decode(withListener({ authn: undefined })).listener).toMatchObject({ authn: undefined });
    expect(decode(withListener({ authn: null })).listener).toMatchObject({ authn: undefined });
  });
});

const wrong: [string, unknown, string][] = [
  ['no object', [], 'the configuration: must be an object, not a list'],
  [
    'a field that is misspelt',
    { ...guideConfig, xds_address: undefined, xds_adress: 'http://a:1' },
    'xds_address: is missing: did you mean it by "xds_adress"?',
  ],
  [
    'one that is missing beside another short one',
    withListener({ host: undefined }),
    'listener.host: is missing: write the address',
  ],
  ['no type', { ...guideConfig, type: undefined }, 'type: is missing: write "xds"'],
  [
    'a static gateway',
    { ...guideConfig, type: 'static' },
    'type: "static" is not supported: targets and rules come from a control plane',
  ],
  ['another type', { ...guideConfig, type: 'XDS' }, 'type: must be "xds", not "XDS"'],
  [
    'no control plane',
    { ...guideConfig, xds_address: '' },
    'xds_address: must be the address of the control plane, such as',
  ],
  ['another scheme', { ...guideConfig, xds_address: 'ftp://a:1' }, 'xds_address: must be http://host:port or https://'],
  [
    'TLS files without TLS',
    { ...guideConfig, xds_tls: { ca: 'c' } },
    'xds_tls: has no effect on a connection in plaintext: write https:// in xds_address',
  ],
  ['a mistyped file of TLS', { ...guideConfig, xds_address: 'https://a:1', xds_tls: { caa: 'c' } }, 'xds_tls.caa'],
  [
    'a certificate without key',
    { ...guideConfig, xds_address: 'https://a:1', xds_tls: { cert: 'c' } },
    'xds_tls: cert and key belong together',
  ],
  [
    'a token in plaintext',
    { ...guideConfig, xds_token_file: 't' },
    'xds_token_file: would be sent in plaintext, and whoever is on the way could use it',
  ],
  [
    'a doubtful permission',
    { ...guideConfig, xds_token_file: 't', xds_token_over_plaintext: 'yes' },
    'xds_token_over_plaintext: must be true or false',
  ],
  [
    'no scheme',
    { ...guideConfig, xds_address: 'kgateway:9977' },
    'xds_address: must be http://host:port or https://host:port and nothing more',
  ],
  [
    'a path',
    { ...guideConfig, xds_address: 'http://a:1/x' },
    'xds_address: must be http://host:port or https://host:port and nothing more',
  ],
  [
    'a password',
    { ...guideConfig, xds_address: 'http://a:b@c:1' },
    'xds_address: must be http://host:port or https://host:port and nothing more',
  ],
  [
    'metadata that is no text',
    { ...guideConfig, metadata: { a: 1 } },
    'metadata.a: must be a string, not 1: put it in quotes',
  ],
  ['metadata as a list', { ...guideConfig, metadata: [] }, 'metadata: must be a map of strings, not a list'],
  ['a host name of another type', { ...guideConfig, alt_xds_hostname: 5 }, 'alt_xds_hostname: must be a string, not 5'],
  ['no listener', { ...guideConfig, listener: undefined }, 'listener: is missing: write an object'],
  ['a listener of another type', withListener({ type: 'http' }), 'listener.type: must be "sse" or "stdio", not "http"'],
  ['a port as text', withListener({ port: '8080' }), 'listener.port: must be an integer from 0 to 65535, not "8080"'],
  [
    'a port out of range',
    withListener({ port: 65536 }),
    'listener.port: must be an integer from 0 to 65535, not 65536',
  ],
  [
    'no host',
    withListener({ host: undefined }),
    'listener.host: is missing: write the address to listen on, such as "0.0.0.0"',
  ],
  ['authn as text', withListener({ authn: 'jwt' }), 'listener.authn: must be an object, not "jwt"'],
  ['another authn', withAuthn({ type: 'basic' }), 'listener.authn.type: must be "jwt", not "basic"'],
  [
    'an issuer that is no list',
    withAuthn({ issuer: 'me' }),
    'listener.authn.issuer: must be a list of non-empty strings, such as ["me"], not "me"',
  ],
  [
    'an issuer that is null',
    withAuthn({ issuer: null }),
    'listener.authn.issuer: must be a list of non-empty strings, such as ["me"], not null',
  ],
  [
    'an empty audience',
    withAuthn({ audience: [''] }),
    'listener.authn.audience: must be a list of non-empty strings, such as ["me"], not a list',
  ],
  [
    'an audience that is a number',
    withAuthn({ audience: ['a', 5] }),
    'listener.authn.audience: must be a list of non-empty strings',
  ],
  ['no keys', withJwks(undefined), 'listener.authn.jwks: is missing: write an object'],
  [
    'keys of another type',
    withJwks({ type: 'file' }),
    'listener.authn.jwks.type: must be "local" or "remote" or "discovery", not "file"',
  ],
  [
    'a source of another type',
    withJwks({ type: 'local', source: { type: 'url', data: 'x' } }),
    'listener.authn.jwks.source.type: must be "file" or "inline", not "url"',
  ],
  [
    'a source without data',
    withJwks({ type: 'local', source: { type: 'file' } }),
    'listener.authn.jwks.source.data: is missing: write the path of a JWK or JWK Set',
  ],
  [
    'a remote without scheme',
    remote({ url: 'issuer.example' }),
    'listener.authn.jwks.url: must begin with https:// or http://',
  ],
  [
    'a remote with a password',
    remote({ url: 'https://a:b@c' }),
    'listener.authn.jwks.url: must not hold a user or password: use headers',
  ],
  [
    'two ports',
    remote({ url: 'https://a:8443', port: 9443 }),
    'listener.authn.jwks.port: is 9443, and url says 8443: keep one of the two',
  ],
  ['a header that is no text', remote({ headers: { a: 1 } }), 'listener.authn.jwks.headers.a: must be a string, not 1'],
  [
    'a header that HTTP cannot carry',
    remote({ headers: { 'a b': 'x' } }),
    'listener.authn.jwks.headers.a b: is not a header that HTTP can carry',
  ],
  [
    'a duration that is none',
    remote({ refresh_interval: 'soon' }),
    'listener.authn.jwks.refresh_interval: must be a length of time from 1ms to 24h',
  ],
  [
    'a duration of zero',
    remote({ initial_timeout: 0 }),
    'listener.authn.jwks.initial_timeout: must be a length of time from 1ms to 24h',
  ],
];

const twice = [{ issuer: 'https://a.example' }, { issuer: 'https://a.example' }];
const manyIssuers = (change: object): object =>
  withAuthn({ issuer: undefined, jwks: undefined, issuers: [{ issuer: 'https://a.example' }], ...change });

describe('issuers with keys of their own', () => {
  const authnOf = (json: unknown): unknown => {
    const { listener } = decode(json);
    return listener.type === 'sse' ? listener.authn : undefined;
  };
  const times = { initialTimeout: 5_000, refreshInterval: 60_000 };

  it('are discovered where no keys are given', () => {
    const jwks = { type: 'local', source: { type: 'inline', data: '{}' } };
    expect(authnOf(manyIssuers({ issuers: [{ issuer: 'https://a.example' }, { issuer: 'b', jwks }] }))).toEqual({
      issuers: ['https://a.example', 'b'],
      audiences: ['me.com'],
      jwks: {
        kind: 'by issuer',
        sources: new Map<string, unknown>([
          ['https://a.example', { kind: 'discovery', issuer: 'https://a.example', ...times }],
          ['b', { kind: 'inline', text: '{}' }],
        ]),
      },
    });
  });

  it('the only issuer of the older form can be discovered', () => {
    expect(authnOf(withAuthn({ issuer: ['https://a.example'], jwks: { type: 'discovery' } }))).toMatchObject({
      jwks: { kind: 'discovery', issuer: 'https://a.example', ...times },
    });
  });

  it('accept tokens for the resource when no audience is listed, in both spellings of an origin', () => {
    const resource = { url: 'https://mcp.example', scopes: ['a'] };
    expect(authnOf(manyIssuers({ audience: undefined, resource, clock_tolerance: '5s' }))).toMatchObject({
      audiences: ['https://mcp.example', 'https://mcp.example/'],
      clockTolerance: 5,
      resource: { url: 'https://mcp.example', authorizationServers: ['https://a.example'], scopes: ['a'] },
    });
    expect(authnOf(manyIssuers({ resource, clock_tolerance: 0 }))).toMatchObject({
      audiences: ['me.com'],
      clockTolerance: 0,
    });
  });

  it.each<[string, object, string]>([
    ['both forms', { issuer: ['a'] }, 'listener.authn.issuer: is for one source of keys'],
    ['none', { issuers: [] }, 'listener.authn.issuers: must have from 1 to 32 entries'],
    ['too many', { issuers: Array.from({ length: 33 }, () => ({})) }, 'listener.authn.issuers: must have from 1 to 32'],
    ['a text', { issuers: ['a'] }, 'listener.authn.issuers[0]: must be an object, not "a"'],
    ['one twice', { issuers: twice }, 'listener.authn.issuers[1].issuer: is "https://a.example" a second time'],
    ['an unknown field', { issuers: [{ issuer: 'a', audience: [] }] }, 'listener.authn.issuers[0].audience: is not a'],
    [
      'no URL to discover',
      { issuers: [{ issuer: 'a' }] },
      'listener.authn.issuers[0].jwks.type: is "discovery", which',
    ],
    [
      'one that is misspelt',
      { audiance: ['a'] },
      'audiance: is not a field known here; did you mean audience? known are',
    ],
    ['no audience', { audience: undefined }, 'listener.authn.audience: is missing: list the audience'],
    ['a tolerance of an hour', { clock_tolerance: '1h' }, 'listener.authn.clock_tolerance: must be at most 5m'],
    ['a resource with a query', { resource: { url: 'https://a/?b' } }, 'listener.authn.resource.url: must be an'],
    ['a resource with a quote', { resource: { url: 'https://a/"' } }, 'listener.authn.resource.url: must be an'],
    [
      'a scope with a space',
      { resource: { url: 'https://a', scopes: ['a b'] } },
      'listener.authn.resource.scopes: has',
    ],
    [
      'an unknown field there',
      { resource: { url: 'https://a', scope: [] } },
      'listener.authn.resource.scope: is not a',
    ],
  ])('are refused with %s', (_, change, message) => {
    expect(() => decode(manyIssuers(change))).toThrow(message);
  });
});

it('a resource needs an issuer that is a URL', () => {
  expect(() => decode(withAuthn({ resource: { url: 'https://a' } }))).toThrow(
    'listener.authn.resource.url: needs an issuer that is a URL',
  );
});

describe('the error for an invalid field names it and the remedy', () => {
  it.each(wrong)('%s', (_, json, message) => {
    expect(() => decode(json)).toThrow(message);
  });
});

describe('an unknown field', () => {
  it('at the top level is a warning that lists the known fields', () => {
    expect(warnings({ ...guideConfig, listeners: [], alt_xds_host: 'x' })).toEqual([
      'listeners: is not a field known here and is ignored; known are $schema, type, xds_address, xds_tls, xds_token_file, xds_token_over_plaintext, metadata, alt_xds_hostname, listener, upstream',
      'alt_xds_host: is not a field known here and is ignored; known are $schema, type, xds_address, xds_tls, xds_token_file, xds_token_over_plaintext, metadata, alt_xds_hostname, listener, upstream',
    ]);
  });

  it.each<[string, object]>([
    ['listener.rbac', withListener({ rbac: [] })],
    ['listener.tls', withListener({ tls: {} })],
    ['listener.authn', { ...guideConfig, listener: { type: 'stdio', authn: guideConfig.listener.authn } }],
    ['listener.authn.audiences', withAuthn({ audiences: ['me.com'] })],
    ['listener.authn.jwks.kid', withJwks({ ...guideConfig.listener.authn.jwks, kid: 'x' })],
    [
      'listener.authn.jwks.source.sha256',
      withJwks({ type: 'local', source: { type: 'inline', data: '{}', sha256: 'x' } }),
    ],
    ['listener.authn.jwks.thumbprint', remote({ thumbprint: 'x' })],
  ])('that could restrict access is an error: %s', (place, json) => {
    expect(() => decode(json)).toThrow(`${place}: is not a field known here; `);
  });
});

describe('keys', () => {
  const jwksOf = (json: unknown): unknown => {
    const { listener } = decode(json);
    return listener.type === 'sse' ? listener.authn?.jwks : undefined;
  };

  it('in the configuration may be text or an object', () => {
    expect(jwksOf(withJwks({ type: 'local', source: { type: 'inline', data: '{"keys":[]}' } }))).toEqual({
      kind: 'inline',
      text: '{"keys":[]}',
    });
    expect(jwksOf(withJwks({ type: 'local', source: { type: 'inline', data: { keys: [] } } }))).toEqual({
      kind: 'inline',
      text: '{"keys":[]}',
    });
  });

  it('of an issuer have defaults', () => {
    expect(jwksOf(remote({ headers: { 'x-key': 'a' } }))).toEqual({
      kind: 'remote',
      url: new URL('https://issuer.example/'),
      headers: new Map([['x-key', 'a']]),
      initialTimeout: 5000,
      refreshInterval: 60_000,
    });
  });

  it.each([
    ['https://issuer.example', 443, '.well-known/jwks.json', 'https://issuer.example/.well-known/jwks.json'],
    ['https://issuer.example', 8443, '/jwks', 'https://issuer.example:8443/jwks'],
    ['http://issuer.example/', 8080, '', 'http://issuer.example:8080/'],
    ['https://issuer.example/realms/x', 443, 'certs?v=1', 'https://issuer.example/realms/x/certs?v=1'],
    ['https://issuer.example/realms/x/', undefined, '/certs', 'https://issuer.example/realms/x/certs'],
    ['https://issuer.example:8443', undefined, undefined, 'https://issuer.example:8443/'],
    ['https://issuer.example', 443, '//evil.example/jwks', 'https://issuer.example/evil.example/jwks'],
  ])('with url %s, port %s and path %s are fetched from %s', (url, port, path, whole) => {
    expect(jwksOf(remote({ url, port, path }))).toMatchObject({ url: new URL(whole) });
  });

  it.each([
    [10, 10_000],
    [0.5, 500],
    ['10s', 10_000],
    ['500ms', 500],
    ['5m', 300_000],
    ['1.5h', 5_400_000],
    [{ secs: 10, nanos: 500_000_000 }, 10_500],
    [{ secs: 10 }, 10_000],
  ])('may have the refresh interval %j', (written, refreshInterval) => {
    expect(jwksOf(remote({ refresh_interval: written }))).toMatchObject({ refreshInterval });
  });
});

it('a file that is cut short, or followed by the rest of an older one, is no configuration', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(), (fields, at) => {
      const text = JSON.stringify({ type: 'xds', ...fields });
      expect(parseJson(text.slice(0, at % text.length))).toBeUndefined();
      expect(parseJson(`${text}${text.slice(text.length - 1 - (at % (text.length - 1)))}`)).toBeUndefined();
    }),
  );
});
