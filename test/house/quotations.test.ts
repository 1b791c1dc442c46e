import { describe, expect, it } from 'vitest';
import { serveFlags, serveSettings } from '../../src/cli/flags/serve-flags.ts';
import { readFlags } from '../../src/cli/flags.ts';
import { keysProblem, parseKeySet } from '../../src/gateway/authn/key-set.ts';
import { decodeConfig } from '../../src/gateway/config/decode.ts';
import { parseMounts } from '../../src/gateway/config/mounts.ts';
import { parseResolutions } from '../../src/gateway/network/resolve.ts';
import { decodeTargetHeaders } from '../../src/gateway/network/target-headers.ts';
import { configDecoder, targetDecoder } from '../../src/gateway/xds/resource-kinds.ts';
import { createResourceStore } from '../../src/gateway/xds/resource-store.ts';
import { decodeState } from '../../src/gateway/xds/state-format.ts';
import { DeltaDiscoveryResponse } from '../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { readPublicKeys } from '../../src/jwk/public-keys.ts';
import { apiErrorText, responseError, watchError } from '../../src/kube/api-error.ts';
import { reasonOf } from '../../src/net/errors.ts';
import type { KindName } from '../../src/resources/model.ts';
import { accountOf } from '../../src/serve/auth/client-certificate.ts';
import { readToken } from '../../src/serve/auth/token-claims.ts';
import { identify } from '../../src/serve/node/identification.ts';
import { parseManifest } from '../../src/source/files/manifest/parse-manifest.ts';
import { problemsOf } from '../resources/objects.ts';
import { samples } from '../resources/samples.ts';

/** Texts that are far too long for a message; the decoders that escape would make them longer still. */
const longTexts = ['q'.repeat(10_000), `${'\u0001'.repeat(5000)}q`, '"\\'.repeat(5000), '\u{e0001}'.repeat(5000)];

/** Every value that results from putting the text in place of one value, or of one key, of a JSON value. */
function* replacements(value: unknown, text: string): Generator<unknown> {
  yield text;
  if (Array.isArray(value)) {
    for (const [at, item] of value.entries()) {
      for (const changed of replacements(item, text)) yield value.with(at, changed);
    }
  } else if (typeof value === 'object' && value !== null) {
    yield { ...value, [text]: null };
    for (const [key, item] of Object.entries(value)) {
      for (const changed of replacements(item, text)) yield { ...value, [key]: changed };
    }
  }
}

/** The longest piece of the text that a message repeats, escaped or not. */
function expectShort(messages: readonly string[], text: string): void {
  const [unit = ''] = text;
  for (const message of messages) {
    expect(message.length, message.slice(0, 1000)).toBeLessThan(1000);
    expect(message).not.toContain(unit.repeat(201));
  }
}

function messageOf(run: () => unknown): string {
  try {
    run();
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const config = {
  type: 'xds',
  xds_address: 'http://127.0.0.1:9977',
  metadata: { role: 'a' },
  alt_xds_hostname: 'gw.default',
  listener: {
    type: 'sse',
    host: '127.0.0.1',
    port: 8080,
    authn: {
      type: 'jwt',
      issuer: ['me'],
      audience: ['me'],
      jwks: { type: 'local', source: { type: 'file', data: '/keys' } },
    },
  },
};

describe.each(longTexts.map((text) => [text]))('a message repeats at most 200 characters', (text) => {
  it.each(Object.keys(samples) as KindName[])('of a %s', (kind) => {
    for (const value of replacements(samples[kind], text)) expectShort(problemsOf(kind, value), text);
  });

  it.each([
    ['a tag', (name: string) => `!${name} a\n`],
    ['a tag of a directive', (name: string) => `%TAG !${name} x\n---\na\n`],
    ['a version', (name: string) => `%YAML ${name}\n---\na\n`],
    ['an alias', (name: string) => `a: *${name}\n`],
    ['an anchor in itself', (name: string) => `a: &${name} [*${name}]\n`],
    ['a key that is there twice', (name: string) => `? ${JSON.stringify(name)}\n? ${JSON.stringify(name)}\n`],
    ['a kind', (name: string) => `{apiVersion: v1, kind: Service, metadata: {name: ${JSON.stringify(name)}}}`],
    ['a version of a kind', (name: string) => `{apiVersion: ${JSON.stringify(name)}, kind: Gateway}`],
    ['a scalar with a tag', (name: string) => `{apiVersion: v1, kind: Namespace, metadata: !!int ${name}}`],
    ['an escape', (name: string) => `"\\${name}"`],
  ])('of %s in a manifest', (_, manifest) => {
    const result = parseManifest(manifest(text), []);
    expectShort(result.ok ? result.diagnostics.map(({ message }) => message) : [result.reason], text);
    expectShort(result.ok ? result.diagnostics.map(({ field }) => field) : [], text);
  });

  it('of the configuration of the gateway', () => {
    const mounts = parseMounts([]);
    for (const value of replacements(config, text)) {
      expectShort([messageOf(() => expectShort(decodeConfig(value, mounts).warnings, text))], text);
    }
    expectShort([messageOf(() => parseMounts([text])), messageOf(() => parseResolutions([text]))], text);
  });

  it('of a key set', async () => {
    const key = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'k', alg: 'ES256', use: 'sig' };
    for (const value of replacements({ keys: [key] }, text)) {
      const problem = await parseKeySet(JSON.stringify(value)).then(
        ({ skipped }) => skipped.join(),
        (error: unknown) => keysProblem('here', error),
      );
      expectShort([problem], text);
    }
  });

  it('of a resource of the control plane', () => {
    for (const decoder of [targetDecoder, configDecoder]) {
      const store = createResourceStore<unknown>(decoder);
      const resource = { typeUrl: text, value: Buffer.from(text) };
      for (const name of ['a', text]) {
        expect(
          JSON.stringify(store.apply(DeltaDiscoveryResponse.fromPartial({ resources: [{ name, resource }] }))).length,
        ).toBeLessThan(2000);
      }
    }
  });

  it('of an answer of the API server, and of an error with its causes', () => {
    const answer = { status: 500, header: () => undefined };
    for (const body of [text, JSON.stringify({ message: text })]) {
      expectShort([apiErrorText(responseError({ ...answer, body }, 0))], text);
    }
    expectShort([apiErrorText(watchError({ message: text }))], text);
    const nested = new Error(text, { cause: new Error(text, { cause: new Error(text) }) });
    expectShort([reasonOf(nested)], text);
  });

  it('of the command line', () => {
    const run = (...args: readonly string[]): string =>
      messageOf(() => serveSettings(readFlags(serveFlags, ['-f', 'a', ...args], {}), {}));
    const flags = serveFlags.map(({ name }) => run(`--${name}=${text}`));
    expectShort([run(`--${text}`), ...flags], text);
  });
});

describe.each(longTexts.map((text) => [text]))(
  'a message about a file, a node or a key repeats at most 200 characters',
  (text) => {
    it('of a file with headers, and of the last-good state', () => {
      for (const value of replacements({ 'default/a': { 'x-a': 'b' } }, text)) {
        expectShort([messageOf(() => decodeTargetHeaders(JSON.stringify(value)))], text);
      }
      const owner = { controlPlane: 'http://a', metadata: {} };
      const header = { format: 'gatehouse last-good state', version: 1, savedAt: 1, owner: 'http://a ' };
      for (const value of replacements(header, text)) {
        const file = Buffer.from(`${JSON.stringify(value)}\n["Config",${JSON.stringify(text)},"?"]\n["end",1,"a"]\n`);
        expectShort([messageOf(() => decodeState(file, owner, { now: 2, maxAge: 2 }))], text);
      }
    });

    it('of what a node says of itself', () => {
      const rules = { clusterDomain: 'cluster.local', exists: () => true, authenticated: true };
      const metadata = { alt_xds_hostname: 'gw.default', role: 'a~b', GATEWAY_NAME: 'gw', NAMESPACE: 'default' };
      for (const value of Object.keys(metadata).flatMap((name) => [{ ...metadata, [name]: text }, { [name]: text }])) {
        const found = identify({ metadata: value, header: [], authority: undefined }, rules);
        expectShort([found.kind === 'gateway' ? '' : found.message], text);
      }
      const names = [`URI:${text}`, `DNS:${text}`, `URI:spiffe://${text}/ns/a/sa/b`, text];
      expectShort(
        names.map((name) => String(accountOf(name, 'cluster.local'))),
        text,
      );
      const tokens = [readToken([`Bearer ${text}`]), readToken([text])];
      expectShort(
        tokens.map((token) => (token.kind === 'unusable' ? token.problem : '')),
        text,
      );
    });

    it('of published keys', () => {
      const key = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'k', alg: 'ES256', use: 'sig' };
      for (const value of replacements({ keys: [key] }, text)) {
        const read = readPublicKeys(JSON.stringify(value));
        expectShort(read.kind === 'keys' ? read.dropped : [read.reason], text);
      }
    });
  },
);
