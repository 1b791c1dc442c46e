import { describe, expect, it } from 'vitest';
import type { Gateway } from '../../../src/resources/model.ts';
import { AMBIGUOUS, isValid, type Mapping, object, problemsOf, resource, valueOrReason } from '../objects.ts';

const listener: Mapping = { name: 'mcp', port: 8080, protocol: 'kgateway.dev/mcp' };
const written = (spec: Mapping): Mapping =>
  object('Gateway', { gatewayClassName: 'mcp', listeners: [listener], ...spec });
const gateway = (spec: Mapping): Gateway => resource('Gateway', written(spec));
const problems = (spec: Mapping): readonly string[] => problemsOf('Gateway', written(spec));

const invalid: unknown = expect.stringMatching(/^invalid: spec\./);

describe('spec.gatewayClassName', () => {
  it('is decoded to the name of the class', () => {
    expect(valueOrReason(gateway({ gatewayClassName: 'My Class' }).className)).toBe('My Class');
  });

  it.each([undefined, null, '', 5, AMBIGUOUS, 'c'.repeat(254)])('is invalid when it is %j', (gatewayClassName) => {
    expect(valueOrReason(gateway({ gatewayClassName }).className)).toEqual(invalid);
  });
});

describe('spec.infrastructure.parametersRef', () => {
  const reference = { group: 'gateway.kgateway.dev', kind: 'GatewayParameters', name: 'p' };
  const parameters = (infrastructure: unknown): unknown => valueOrReason(gateway({ infrastructure }).parametersRef);

  it('references parameters in the namespace of the Gateway', () => {
    expect(parameters({ parametersRef: reference })).toEqual(reference);
    expect(parameters({ parametersRef: { ...reference, namespace: 'there' } })).toEqual(reference);
    expect(problems({ infrastructure: { parametersRef: { ...reference, namespace: 'there' } } })).toEqual([
      expect.stringMatching(/^warning spec\.infrastructure\.parametersRef\.namespace means nothing/),
    ]);
  });

  it.each([undefined, null, {}, { parametersRef: null }, { parametersref: reference }])('is absent in %j', (value) => {
    expect(parameters(value)).toBeUndefined();
  });

  it.each<[string, unknown]>([
    ['infrastructure is no mapping', 5],
    ['the reference is a string', { parametersRef: 'p' }],
    ['it is empty', { parametersRef: {} }],
    ['it has no name', { parametersRef: { ...reference, name: undefined } }],
    ['its name is a number', { parametersRef: { ...reference, name: 5 } }],
    ['its kind is ambiguous', { parametersRef: { ...reference, kind: AMBIGUOUS } }],
    ['its group has a version', { parametersRef: { ...reference, group: 'gateway.kgateway.dev/v1alpha1' } }],
  ])('is invalid when %s', (_, infrastructure) => {
    expect(parameters(infrastructure)).toEqual(invalid);
  });
});

describe('spec.addresses', () => {
  const address = (value: unknown): unknown => valueOrReason(gateway({ addresses: [value] }).addresses[0]);

  it('defaults the type to IPAddress and the value to empty', () => {
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
  ])('keeps the valid neighbours of an address that is %s', (_, value) => {
    const good = { value: '2001:db8::1' };
    expect(gateway({ addresses: [good, value, good] }).addresses.map(isValid)).toEqual([true, false, true]);
  });

  it('keeps an unsupported type, which rejects the Gateway', () => {
    expect(address({ type: '', value: '192.0.2.1' })).toEqual({ type: '', value: '192.0.2.1' });
    expect(address({ type: 'hostname', value: 'a' })).toEqual({ type: 'hostname', value: 'a' });
    expect(problems({ addresses: [{ type: 'hostname', value: 'a' }], listeners: [{}] })[0]).toContain(
      'spec.addresses[0].type',
    );
  });
});

describe('a Gateway', () => {
  it('without listeners has an error', () => {
    expect(problems({ listeners: [] })).toEqual(['error spec.listeners has 0 entries: write at least 1.']);
    expect(problems({ listeners: null })).toEqual(['error spec.listeners is missing: write a list of listeners.']);
  });

  it('with a thousand listeners exceeds a limit, and keeps them all', () => {
    const listeners = Array.from({ length: 1000 }, (_, port) => ({ ...listener, name: `l${port}`, port: port + 1 }));
    expect(problems({ listeners })).toEqual(['error spec.listeners has 1000 entries: write at most 64.']);
    expect(gateway({ listeners }).listeners.every(isValid)).toBe(true);
  });

  it('with a thousand invalid listeners lists a bounded number of problems', () => {
    const found = problems({ listeners: Array(1000).fill({ name: 5 }) });
    expect(found).toHaveLength(101);
    expect(found.at(-1)).toBe(
      'error The object has 2901 more problems (2901 of them errors): mend the listed ones first.',
    );
  });

  it('accepts every field of the API', () => {
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
    expect(problems({ ...spec, listeners: [{ ...listener, hostname: '*.a', allowedRoutes, tls }] })).toEqual([]);
  });

  it('has a warning about a misspelt annotation, which would not say who may be its nodes', () => {
    const metadata = { name: 'gw', annotations: { 'kgateway.dev/service-acount': 'gw' } };
    const written = object('Gateway', { gatewayClassName: 'mcp', listeners: [listener] }, { metadata });
    expect(problemsOf('Gateway', written)).toEqual([
      'warning metadata.annotations["kgateway.dev/service-acount"] has no effect: write "kgateway.dev/service-account", the nearest known one, or remove it.',
    ]);
  });

  it('has a warning about an unknown field, which drops nothing', () => {
    expect(problems({ listenrs: [], tls: { frontEnd: {} } })).toEqual([
      'warning spec.listenrs is not a known field: write "listeners", the nearest known one, or remove it.',
      'warning spec.tls.frontEnd is not a known field: write "frontend", the nearest known one, or remove it.',
    ]);
  });
});
