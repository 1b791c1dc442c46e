import { readFileSync } from 'node:fs';
import { Ajv2020, type AnySchema } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { decodeConfig } from '../../../src/gateway/config/decode.ts';
import { parseMounts } from '../../../src/gateway/config/mounts.ts';

const schema: AnySchema & { readonly [field: string]: unknown } = JSON.parse(
  readFileSync('deploy/schemas/gateway-config.schema.json', 'utf8'),
);
const page = readFileSync('docs/gateway-configuration.md', 'utf8');
const matches = new Ajv2020({ allowUnionTypes: true }).compile(schema);

function decodes(config: unknown): boolean {
  try {
    decodeConfig(config, parseMounts([]));
    return true;
  } catch {
    return false;
  }
}

const withJwks = (jwks: object): object => ({
  type: 'xds',
  xds_address: 'http://127.0.0.1:9977',
  listener: { type: 'sse', host: '::1', port: 0, authn: { type: 'jwt', issuer: ['me'], audience: ['me'], jwks } },
});

const withAuthn = (authn: object): object => ({
  type: 'xds',
  xds_address: 'http://127.0.0.1:9977',
  listener: { type: 'sse', host: '::1', port: 0, authn: { type: 'jwt', ...authn } },
});

const configs = [
  {
    ...withJwks({ type: 'local', source: { type: 'file', data: 'jwks.json' } }),
    $schema: './gateway-config.schema.json',
    metadata: { role: '~default~gw' },
    alt_xds_hostname: 'gw.default',
  },
  withJwks({ type: 'local', source: { type: 'inline', data: { keys: [] } } }),
  withJwks({
    type: 'remote',
    url: 'https://issuer.example/realms/x',
    port: 443,
    path: 'certs',
    headers: { 'x-key': 'a' },
    initial_timeout: '5s',
    refresh_interval: { secs: 60, nanos: 2_000_000 },
    ca: 'ca.crt',
  }),
  withAuthn({
    issuer: ['https://issuer.example'],
    jwks: { type: 'discovery', initial_timeout: '5s', refresh_interval: 60, ca: 'ca.crt' },
    clock_tolerance: '30s',
    resource: {
      url: 'https://mcp.example/mcp',
      sse_url: 'https://mcp.example/sse',
      scopes: ['mcp:use'],
      name: 'Tools',
      documentation: 'https://a.example',
    },
  }),
  withAuthn({
    issuers: [
      { issuer: 'https://issuer.example', jwks: null },
      { issuer: 'ci', jwks: { type: 'local', source: { type: 'file', data: 'ci.json' } } },
    ],
    audience: ['me'],
  }),
  {
    type: 'xds',
    xds_address: 'https://control-plane:9977',
    xds_tls: { ca: 'ca.crt', cert: 'tls.crt', key: 'tls.key', server_name: 'control-plane' },
    xds_token_file: '/token',
    listener: { type: 'stdio' },
  },
  {
    type: 'xds',
    xds_address: 'http://control-plane:9977',
    xds_tls: null,
    xds_token_file: '/token',
    xds_token_over_plaintext: true,
    listener: { type: 'stdio' },
  },
  {
    type: 'xds',
    xds_address: 'http://control-plane:9977',
    listener: { type: 'stdio' },
    upstream: { ca: 'ca.crt', headers_file: 'headers.json', pass_headers: ['Traceparent', 'authorization'] },
  },
  { type: 'xds', xds_address: 'http://control-plane:9977', listener: { type: 'stdio' } },
];

/**
 * Values that replace each field in turn. None is refused for a reason that a schema cannot express: the rules of URLs and
 * headers, and the sum of seconds and nanoseconds.
 */
const replacements = [null, true, 0, 1, 1.5, -1, 70_000, 1e9, '', [], ['a'], ['', 'a'], [1], {}, { a: 'b' }, { a: 1 }];

/** Every configuration that results from replacing, removing or adding one field. */
function* changed(value: unknown): Generator<unknown> {
  yield* replacements;
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      for (const other of changed(item)) yield value.with(index, other);
    }
    return;
  }
  yield { ...value, unknown: 1 };
  for (const [field, item] of Object.entries(value)) {
    yield Object.fromEntries(Object.entries(value).filter(([name]) => name !== field));
    for (const other of changed(item)) yield { ...value, [field]: other };
  }
}

describe('the JSON Schema of the configuration', () => {
  it.each(configs)('accepts what the gateway accepts, and refuses what it refuses: %j', (config) => {
    expect({ schema: matches(config), gateway: decodes(config) }).toEqual({ schema: true, gateway: true });
    const different = [...changed(config)].filter((other) => matches(other) !== decodes(other));
    expect(different.map((other) => JSON.stringify(other))).toEqual([]);
  });

  // The keys of one issuer have the fields of those of all, which the page describes once.
  const fields = new Set(
    fieldPaths(schema, '').map((path) => path.replace('listener.authn.issuers.jwks.', 'listener.authn.jwks.')),
  );

  it('has the fields of the reference, and no others', () => {
    const described = new Set(Array.from(page.matchAll(/^\| `([$\w.]+)` \|/gm), ([, path]) => path));
    expect(described).toEqual(fields);
  });

  it('accepts the examples of the reference, which have every field and no warning', () => {
    const section = page.split('\n## ').find((text) => text.startsWith('Every field in an example'));
    const examples = Array.from(section?.matchAll(/^```json\n(.*?)^```$/gms) ?? [], ([, text = '']): unknown =>
      JSON.parse(text),
    );
    for (const example of examples) {
      expect(matches(example)).toBe(true);
      expect(decodeConfig(example, parseMounts([])).warnings).toEqual([]);
    }
    const used = new Set(
      examples
        .flatMap((example) => pathsIn(example, ''))
        .map((path) => path.replace('listener.authn.issuers.jwks.', 'listener.authn.jwks.')),
    );
    expect([...fields].filter((path) => !used.has(path))).toEqual([]);
  });
});

/** The paths of all fields that a configuration has. */
function pathsIn(value: unknown, prefix: string): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item) => pathsIn(item, prefix));
  return Object.entries(value).flatMap(([field, below]) => [
    `${prefix}${field}`,
    ...pathsIn(below, `${prefix}${field}.`),
  ]);
}

/** The paths of all fields in a schema, each once. */
function fieldPaths(node: unknown, prefix: string): readonly string[] {
  if (typeof node !== 'object' || node === null) return [];
  const { $ref, oneOf, items, properties }: { $ref?: string; oneOf?: unknown[]; items?: object; properties?: object } =
    node;
  const definitions: Readonly<Record<string, unknown>> = Object(schema['$defs']);
  const name = $ref?.replace('#/$defs/', '');
  if (name === 'duration') return [];
  const referred = name === undefined ? [] : fieldPaths(definitions[name], prefix);
  const own = Object.entries(properties ?? {}).flatMap(([field, below]) => [
    `${prefix}${field}`,
    ...fieldPaths(below, `${prefix}${field}.`),
  ]);
  return [
    ...referred,
    ...own,
    ...fieldPaths(items, prefix),
    ...(oneOf ?? []).flatMap((one) => fieldPaths(one, prefix)),
  ];
}

describe('$schema', () => {
  const warnings = ($schema: unknown): readonly string[] =>
    decodeConfig({ ...configs[0], $schema }, parseMounts([])).warnings;

  it('may name the schema of the configuration', () => {
    expect(warnings('./gateway-config.schema.json')).toEqual([]);
    expect(warnings('https://example.com/a/gateway-config.schema.json')).toEqual([]);
  });

  it('that names another one is a warning', () => {
    expect(warnings('https://example.com/my-gateway-config.schema.json')).toEqual([
      '$schema: names "https://example.com/my-gateway-config.schema.json", which is not the schema of this file: gateway-config.schema.json',
    ]);
  });

  it('must be a text', () => {
    expect(() => warnings(5)).toThrow('$schema: must be a string, not 5');
  });
});
