import { describe, expect, it } from 'vitest';
import type { GatewayClass } from '../../../src/resources/model.ts';
import { AMBIGUOUS, type Mapping, object, problemsOf, resource, valueOrReason } from '../objects.ts';

const reference = { group: 'gateway.kgateway.dev', kind: 'GatewayParameters', name: 'p', namespace: 'there' };
const written = (spec: Mapping): Mapping => {
  return object('GatewayClass', { controllerName: 'kgateway.dev/kgateway', ...spec }, { metadata: { name: 'mcp' } });
};
const gatewayClass = (spec: Mapping): GatewayClass => resource('GatewayClass', written(spec));

const invalid: unknown = expect.stringMatching(/^invalid: spec\./);

describe('a GatewayClass', () => {
  it('has a controller, and may have a description', () => {
    expect(gatewayClass({ description: 'MCP gateways' })).toEqual({
      kind: 'GatewayClass',
      metadata: { namespace: '', name: 'mcp', generation: undefined },
      controllerName: { ok: true, value: 'kgateway.dev/kgateway' },
      parametersRef: undefined,
    });
    expect(problemsOf('GatewayClass', written({ description: 'MCP gateways' }))).toEqual([]);
  });

  it.each([
    undefined,
    null,
    '',
    5,
    AMBIGUOUS,
    'kgateway',
    'kgateway.dev/',
    '/kgateway',
    'Kgateway.dev/x',
    'a/b c',
    `a/${'b'.repeat(252)}`,
  ])('belongs to no controller when its controllerName is %j', (controllerName) =>
    expect(valueOrReason(gatewayClass({ controllerName }).controllerName)).toEqual(invalid),
  );

  it('keeps its controller beside a description that the API refuses', () => {
    for (const description of ['d'.repeat(65), 5]) {
      expect(problemsOf('GatewayClass', written({ description }))).toEqual([
        expect.stringMatching(/^error spec\.description /),
      ]);
      expect(valueOrReason(gatewayClass({ description }).controllerName)).toBe('kgateway.dev/kgateway');
    }
  });
});

describe('spec.parametersRef of a GatewayClass', () => {
  const parameters = (parametersRef: unknown): unknown => valueOrReason(gatewayClass({ parametersRef }).parametersRef);

  it('is decoded to a reference', () => {
    expect(parameters(reference)).toEqual(reference);
    expect(parameters({ group: '', kind: 'ConfigMap', name: 'x' })).toEqual({
      group: '',
      kind: 'ConfigMap',
      name: 'x',
    });
  });

  it('is absent when it is absent or null', () => {
    expect([parameters(undefined), parameters(null)]).toEqual([undefined, undefined]);
  });

  it('has no default namespace', () => {
    for (const namespace of [undefined, null]) {
      expect(gatewayClass({ parametersRef: { ...reference, namespace } }).parametersRef).toEqual({
        ok: true,
        value: { ...reference, namespace: undefined },
      });
    }
  });

  it.each<[string, unknown]>([
    ['it is no mapping', 'p'],
    ['it is empty', {}],
    ['its group is missing', { ...reference, group: undefined }],
    ['its group has a version', { ...reference, group: 'gateway.kgateway.dev/v1alpha1' }],
    ['its kind is empty', { ...reference, kind: '' }],
    ['its name is a number', { ...reference, name: 5 }],
    ['its name is empty', { ...reference, name: '' }],
    ['its namespace is empty', { ...reference, namespace: '' }],
    ['its namespace is no name', { ...reference, namespace: 'a.b' }],
    ['its namespace is ambiguous', { ...reference, namespace: AMBIGUOUS }],
  ])('is invalid when %s', (_, value) => {
    expect(parameters(value)).toEqual(invalid);
  });

  it('has a warning about an unknown field', () => {
    expect(problemsOf('GatewayClass', written({ parametersRef: { ...reference, nam: 'x' } }))).toEqual([
      'warning spec.parametersRef.nam is not a known field: write "name", the nearest known one, or remove it.',
    ]);
  });
});
