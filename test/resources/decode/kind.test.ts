import { describe, expect, it } from 'vitest';
import type { KindName } from '../../../src/resources/model.ts';
import { decode } from '../../../src/resources/resources.ts';
import { AMBIGUOUS, type Mapping, object, problemsOf, resource } from '../objects.ts';

const specs: readonly (readonly [KindName, Mapping])[] = [
  ['GatewayClass', { controllerName: 'kgateway.dev/kgateway' }],
  ['GatewayParameters', { selfManaged: {} }],
  ['Gateway', { gatewayClassName: 'mcp', listeners: [] }],
  ['Service', { ports: [] }],
  ['MCPAuthPolicy', { targetRefs: [], rules: [] }],
];

const everyKind: readonly (readonly [KindName, Mapping])[] = [...specs, ['Namespace', {}]];

describe.each(everyKind)('the frame of a %s', (kind, spec) => {
  it.each([
    ['a number', 5],
    ['null', null],
    ['nothing', undefined],
    ['a list', []],
    ['a string', 'x'],
    ['an ambiguous scalar', AMBIGUOUS],
    ['an instance of a class', new Map([['metadata', {}]])],
    ['an empty mapping', {}],
    ['another apiVersion', object(kind, spec, { apiVersion: 'v2' })],
    ['an apiVersion that is a number', object(kind, spec, { apiVersion: 1 })],
    ['another kind', object(kind, spec, { kind: 'Pod' })],
    ['no metadata', object(kind, spec, { metadata: undefined })],
    ['metadata that is a list', object(kind, spec, { metadata: [] })],
    ['no name', object(kind, spec, { metadata: {} })],
    ['a name that is null', object(kind, spec, { metadata: { name: null } })],
    ['a name that is a number', object(kind, spec, { metadata: { name: 5 } })],
    ['an ambiguous name', object(kind, spec, { metadata: { name: AMBIGUOUS } })],
    ['an empty name', object(kind, spec, { metadata: { name: '' } })],
    ['an upper case name', object(kind, spec, { metadata: { name: 'It' } })],
    ['a name with a colon', object(kind, spec, { metadata: { name: 'a:b' } })],
    ['a name with a slash', object(kind, spec, { metadata: { name: 'a/b' } })],
    ['a name with NUL', object(kind, spec, { metadata: { name: 'a\u0000' } })],
    ['a name with a line break', object(kind, spec, { metadata: { name: 'a\n' } })],
    ['a name of 254 characters', object(kind, spec, { metadata: { name: 'a'.repeat(254) } })],
  ])('is invalid from %s, with an error', (_, value) => {
    const decoded = decode(kind, value);
    expect(decoded.readable).toBe(false);
    expect(decoded.problems.map(({ severity }) => severity)).toContain('error');
  });

  it('keeps a valid generation', () => {
    const generations = [7, '7', null, undefined, Number.NaN].map((generation) => {
      return resource(kind, object(kind, spec, { metadata: { name: 'it', generation } })).metadata.generation;
    });
    expect(generations).toEqual([7, undefined, undefined, undefined, undefined]);
  });

  it('has a warning about an unknown field beside it, which names the nearest known one', () => {
    const metadata = { name: 'it', anotations: {} };
    expect(problemsOf(kind, object(kind, spec, { metadata, specs: {} }))).toEqual(
      expect.arrayContaining([
        'warning metadata.anotations is not a known field: write "annotations", the nearest known one, or remove it.',
        'warning specs is not a known field: write "spec", the nearest known one, or remove it.',
      ]),
    );
  });

  it('has errors for labels and annotations that the API refuses', () => {
    const metadata = { name: 'it', labels: { team: 5 }, annotations: [] };
    expect(problemsOf(kind, object(kind, spec, { metadata }))).toEqual(
      expect.arrayContaining([
        'error metadata.annotations is a list: write a mapping.',
        'error metadata.labels.team is a number and no string: quote it.',
      ]),
    );
    expect(decode(kind, object(kind, spec, { metadata })).readable).toBe(true);
  });

  it('ignores the status', () => {
    expect(problemsOf(kind, object(kind, spec, { metadata: { name: 'it' }, status: 5 }))).toEqual(
      problemsOf(kind, object(kind, spec, { metadata: { name: 'it' } })),
    );
  });
});

describe.each(specs)('the spec of a %s', (kind) => {
  it.each([
    ['null', null],
    ['absent', undefined],
    ['a list', []],
    ['a string', 'x'],
    ['ambiguous', AMBIGUOUS],
  ])('that is %s makes the frame invalid, and the name is kept', (_, spec) => {
    expect(decode(kind, object(kind, spec))).toMatchObject({ readable: false, name: 'it' });
  });
});

describe('a field that is written beside the mapping to which it belongs', () => {
  const ruleWith = (more: Mapping): Mapping => ({ targetRefs: [{ name: 'gw' }], rules: [more] });
  const listenerWith = (more: Mapping): Mapping => ({
    gatewayClassName: 'mcp',
    listeners: [{ name: 'mcp', port: 80, protocol: 'kgateway.dev/mcp', ...more }],
  });

  it.each<readonly [string, KindName, Mapping, Mapping]>([
    ['warning rules is not known here: it belongs in spec.', 'MCPAuthPolicy', { targetRefs: [] }, { rules: [] }],
    ['warning listeners is not known here: it belongs in spec.', 'Gateway', {}, { listeners: [] }],
    ['warning ports is not known here: it belongs in spec.', 'Service', {}, { ports: [] }],
    ['warning controllerName is not known here: it belongs in spec.', 'GatewayClass', {}, { controllerName: 'x' }],
    [
      'warning metadata.rules is not known here: it belongs in spec.',
      'MCPAuthPolicy',
      { targetRefs: [] },
      { metadata: { name: 'it', rules: [] } },
    ],
    [
      'error spec.matches is not known here: it belongs in an entry of spec.rules.',
      'MCPAuthPolicy',
      { targetRefs: [], matches: [] },
      {},
    ],
    [
      'error spec.name is not known here: it belongs in an entry of spec.targetRefs.',
      'MCPAuthPolicy',
      { targetRefs: [], name: 'gw' },
      {},
    ],
    [
      'error spec.targetRefs[0].rules is not known here: it belongs in spec.',
      'MCPAuthPolicy',
      { targetRefs: [{ name: 'gw', rules: [] }] },
      {},
    ],
    [
      'error spec.rules[0].type is not known here: it belongs in an entry of matches.',
      'MCPAuthPolicy',
      ruleWith({ type: 'JWT' }),
      {},
    ],
    [
      'error spec.rules[0].matches[0].claim is not known here: it belongs in jwt.',
      'MCPAuthPolicy',
      ruleWith({ matches: [{ type: 'JWT', claim: 'sub' }] }),
      {},
    ],
    [
      'error spec.listeners[0].from is not known here: it belongs in allowedRoutes.namespaces.',
      'Gateway',
      listenerWith({ from: 'All' }),
      {},
    ],
    [
      'error spec.listeners[0].allowedRoutes.from is not known here: it belongs in namespaces.',
      'Gateway',
      listenerWith({ allowedRoutes: { from: 'All' } }),
      {},
    ],
    [
      'warning spec.appProtocol is not known here: it belongs in an entry of spec.ports.',
      'Service',
      { appProtocol: 'kgateway.dev/mcp' },
      {},
    ],
  ])('has a message that says so: %s', (message, kind, spec, more) => {
    expect(problemsOf(kind, object(kind, spec, more))).toContain(`${message} Move it there.`);
  });
});

describe.each(everyKind)('the metadata of a %s', (kind, spec) => {
  it('has a warning about a field of its metadata one level too high, which says where it belongs', () => {
    expect(problemsOf(kind, object(kind, spec, { labels: {} }))).toContain(
      'warning labels is not known here: it belongs in metadata. Move it there.',
    );
  });
});

describe('a field that must be a list', () => {
  it.each<readonly [KindName, string, Mapping]>([
    ['Gateway', 'listeners', { gatewayClassName: 'mcp' }],
    ['Gateway', 'addresses', { gatewayClassName: 'mcp', listeners: [] }],
    ['Service', 'ports', {}],
    ['MCPAuthPolicy', 'targetRefs', { rules: [] }],
    ['MCPAuthPolicy', 'rules', { targetRefs: [] }],
  ])('belongs to the frame of a %s in spec.%s', (kind, field, spec) => {
    const readable = [{}, 'x', 5, AMBIGUOUS, { 0: {} }].map(
      (value) => decode(kind, object(kind, { ...spec, [field]: value })).readable,
    );
    expect(readable).toEqual([false, false, false, false, false]);
    expect(decode(kind, object(kind, { ...spec, [field]: [] })).readable).toBe(true);
    expect(decode(kind, object(kind, spec)).readable).toBe(true);
  });

  it('rejects null in a policy, and takes it for absent in a Gateway or a Service', () => {
    const policy = (spec: Mapping): boolean => decode('MCPAuthPolicy', object('MCPAuthPolicy', spec)).readable;
    expect([policy({ targetRefs: [], rules: null }), policy({ targetRefs: null, rules: [] })]).toEqual([false, false]);
    expect(resource('Gateway', object('Gateway', { gatewayClassName: 'mcp', listeners: null })).listeners).toEqual([]);
    expect(resource('Service', object('Service', { ports: null })).mcpPorts).toEqual([]);
  });
});

describe('the namespace of an object', () => {
  const inNamespace = (namespace: unknown): Mapping => {
    return object('MCPAuthPolicy', { targetRefs: [], rules: [] }, { metadata: { name: 'it', namespace } });
  };

  it('defaults to `default` when it is absent or null', () => {
    const identities = [undefined, null].map(
      (value) => resource('MCPAuthPolicy', inNamespace(value)).metadata.namespace,
    );
    expect(identities).toEqual(['default', 'default']);
  });

  it.each([
    ['empty', ''],
    ['a number', 5],
    ['ambiguous', AMBIGUOUS],
    ['dotted', 'a.b'],
    ['upper case', 'A'],
    ['of 64 characters', 'a'.repeat(64)],
  ])('makes the frame invalid when it is %s; the name is kept', (_, value) => {
    expect(decode('MCPAuthPolicy', inNamespace(value))).toMatchObject({
      readable: false,
      name: 'it',
      namespace: undefined,
    });
  });

  it.each<KindName>(['GatewayClass', 'Namespace'])('has no effect on a %s, with a warning', (kind) => {
    const spec = { controllerName: 'a.b/c' };
    for (const namespace of ['here', 5, '', AMBIGUOUS]) {
      const value = object(kind, spec, { metadata: { name: 'it', namespace } });
      expect(resource(kind, value).metadata.namespace).toBe('');
      expect(problemsOf(kind, value)).toEqual([
        `warning metadata.namespace means nothing: a ${kind} is in no namespace. Remove it.`,
      ]);
    }
  });
});

describe('a name', () => {
  const dotted = { metadata: { name: 'a.b' } };
  const long = { metadata: { name: `${'a'.repeat(63)}.${'b'.repeat(189)}` } };

  it.each(specs.filter(([kind]) => kind !== 'Service'))('of a %s is a DNS-1123 subdomain', (kind, spec) => {
    expect(resource(kind, object(kind, spec, dotted)).metadata.name).toBe('a.b');
    expect(resource(kind, object(kind, spec, long)).metadata.name).toHaveLength(253);
  });

  it.each<KindName>(['Service', 'Namespace'])('of a %s is a DNS-1123 label', (kind) => {
    expect(decode(kind, object(kind, {}, dotted)).readable).toBe(false);
    expect(decode(kind, object(kind, {}, { metadata: { name: 'a'.repeat(64) } })).readable).toBe(false);
    expect(resource(kind, object(kind, {}, { metadata: { name: '1'.repeat(63) } })).metadata.name).toHaveLength(63);
  });
});

it('a Namespace with an invalid frame keeps its name', () => {
  const broken = { kind: 'Namespace', metadata: { name: 'it', labels: { a: 'b' } } };
  expect(decode('Namespace', broken)).toMatchObject({ readable: false, kind: 'Namespace', name: 'it' });
});

it('a key like __proto__ is a field like any other, and resembles none', () => {
  const value: unknown = JSON.parse(
    '{"apiVersion":"v1","kind":"Namespace","__proto__":{"metadata":{"name":"it"}},"constructor":1}',
  );
  expect(decode('Namespace', value).readable).toBe(false);
  expect(problemsOf('Namespace', value)).toContain(
    'warning __proto__ is not a known field: remove it. Known here: apiVersion, kind, metadata, spec, status.',
  );
});
