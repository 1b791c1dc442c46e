import { describe, expect, it } from 'vitest';
import type { Gateway } from '../../../src/resources/model.ts';
import { complaints, isUnderstood, type Mapping, object, outcome, resource, YES } from '../objects.ts';

const listener: Mapping = { name: 'mcp', port: 8080, protocol: 'kgateway.dev/mcp' };
const written = (spec: Mapping): Mapping =>
  object('Gateway', { gatewayClassName: 'mcp', listeners: [listener], ...spec });
const gateway = (spec: Mapping): Gateway => resource('Gateway', written(spec));
const said = (spec: Mapping): readonly string[] => complaints('Gateway', written(spec));

const notUnderstood: unknown = expect.stringMatching(/^not understood: spec\./);

describe('the class of a Gateway', () => {
  it('is named', () => {
    expect(outcome(gateway({ gatewayClassName: 'My Class' }).className)).toBe('My Class');
  });

  it.each([undefined, null, '', 5, YES, 'c'.repeat(254)])('is not understood when it is %j', (gatewayClassName) => {
    expect(outcome(gateway({ gatewayClassName }).className)).toEqual(notUnderstood);
  });
});

describe('the parameters of a Gateway', () => {
  const reference = { group: 'gateway.kgateway.dev', kind: 'GatewayParameters', name: 'p' };
  const parameters = (infrastructure: unknown): unknown => outcome(gateway({ infrastructure }).parametersRef);

  it('are what infrastructure.parametersRef names, in the namespace of the Gateway', () => {
    expect(parameters({ parametersRef: reference })).toEqual(reference);
    expect(parameters({ parametersRef: { ...reference, namespace: 'there' } })).toEqual(reference);
    expect(said({ infrastructure: { parametersRef: { ...reference, namespace: 'there' } } })).toEqual([
      expect.stringMatching(/^warning spec\.infrastructure\.parametersRef\.namespace means nothing/),
    ]);
  });

  it.each([undefined, null, {}, { parametersRef: null }, { parametersref: reference }])('are absent in %j', (value) => {
    expect(parameters(value)).toBeUndefined();
  });

  it.each<[string, unknown]>([
    ['infrastructure is no mapping', 5],
    ['the reference is a string', { parametersRef: 'p' }],
    ['it is empty', { parametersRef: {} }],
    ['it has no name', { parametersRef: { ...reference, name: undefined } }],
    ['its name is a number', { parametersRef: { ...reference, name: 5 } }],
    ['its kind is ambiguous', { parametersRef: { ...reference, kind: YES } }],
    ['its group has a version', { parametersRef: { ...reference, group: 'gateway.kgateway.dev/v1alpha1' } }],
  ])('are not understood when %s', (_, infrastructure) => {
    expect(parameters(infrastructure)).toEqual(notUnderstood);
  });
});

describe('the addresses of a Gateway', () => {
  const address = (value: unknown): unknown => outcome(gateway({ addresses: [value] }).addresses[0]);

  it('are IP addresses unless they say otherwise, and may leave the value to others', () => {
    expect(address({ value: '192.0.2.1' })).toEqual({ type: 'IPAddress', value: '192.0.2.1' });
    expect(address({ type: 'Hostname', value: '*.example.com' })).toEqual({ type: 'Hostname', value: '*.example.com' });
    expect(address({ type: 'NamedAddress', value: 'Any Thing' })).toEqual({ type: 'NamedAddress', value: 'Any Thing' });
    expect(address({ type: null, value: null })).toEqual({ type: 'IPAddress', value: '' });
  });

  it.each<[string, unknown]>([
    ['a string', '192.0.2.1'],
    ['null', null],
    ['an IP address that is none', { value: '192.0.2.256' }],
    ['a host name that is none', { type: 'Hostname', value: 'a b' }],
    ['a value that is a number', { value: 5 }],
    ['a type that is a number', { type: 5, value: '192.0.2.1' }],
  ])('leave their neighbours when one is %s', (_, value) => {
    const good = { value: '2001:db8::1' };
    expect(gateway({ addresses: [good, value, good] }).addresses.map(isUnderstood)).toEqual([true, false, true]);
  });

  it('keep a type that nobody supports, for the Gateway to be refused by it', () => {
    expect(address({ type: '', value: '192.0.2.1' })).toEqual({ type: '', value: '192.0.2.1' });
    expect(address({ type: 'hostname', value: 'a' })).toEqual({ type: 'hostname', value: 'a' });
    expect(said({ addresses: [{ type: 'hostname', value: 'a' }], listeners: [{}] })[0]).toContain(
      'spec.addresses[0].type',
    );
  });
});

describe('a Gateway', () => {
  it('without listeners is told to have some', () => {
    expect(said({ listeners: [] })).toEqual(['error spec.listeners has 0 entries: write at least 1.']);
    expect(said({ listeners: null })).toEqual(['error spec.listeners is missing: write a list of listeners.']);
  });

  it('with a thousand listeners breaks a limit, and keeps them all', () => {
    const listeners = Array.from({ length: 1000 }, (_, port) => ({ ...listener, name: `l${port}`, port: port + 1 }));
    expect(said({ listeners })).toEqual(['error spec.listeners has 1000 entries: write at most 64.']);
    expect(gateway({ listeners }).listeners.every(isUnderstood)).toBe(true);
  });

  it('with a thousand bad listeners has a report of bounded length', () => {
    const problems = said({ listeners: Array(1000).fill({ name: 5 }) });
    expect(problems).toHaveLength(101);
    expect(problems.at(-1)).toBe(
      'error The object has 2901 more problems (2901 of them errors): mend the listed ones first.',
    );
  });

  it('may have every field of the API', () => {
    const selector = { matchLabels: { a: 'b' } };
    const certificate = { group: '', kind: 'Secret', name: 's', namespace: 'n' };
    const frontend = { validation: { caCertificateRefs: [certificate], mode: 'AllowValidOnly' } };
    const spec = {
      addresses: [],
      allowedListeners: { namespaces: { from: 'Selector', selector } },
      infrastructure: { labels: { a: 'b' }, annotations: { 'x/y': '{}' } },
      tls: {
        backend: { clientCertificateRef: certificate },
        frontend: { default: frontend, perPort: [{ port: 443, tls: frontend }] },
      },
      defaultScope: 'All',
    };
    const allowedRoutes = { kinds: [{ group: '', kind: 'Service' }], namespaces: { from: 'Selector', selector } };
    const tls = { mode: 'Terminate', certificateRefs: [certificate], options: { a: 'b' } };
    expect(said({ ...spec, listeners: [{ ...listener, hostname: '*.a', allowedRoutes, tls }] })).toEqual([]);
  });

  it('is warned of an unknown field, which drops nothing', () => {
    expect(said({ listenrs: [], tls: { frontEnd: {} } })).toEqual([
      'warning spec.listenrs is not a known field: write "listeners", the nearest known one, or remove it.',
      'warning spec.tls.frontEnd is not a known field: write "frontend", the nearest known one, or remove it.',
    ]);
  });
});
