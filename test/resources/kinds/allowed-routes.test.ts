import { describe, expect, it } from 'vitest';
import type { Listener, RouteNamespaces } from '../../../src/resources/model.ts';
import { AMBIGUOUS, isValid, type Mapping, object, problemsOf, resource, valueOrReason } from '../objects.ts';

const inGateway = (allowedRoutes: unknown): Mapping => {
  const listener = { name: 'mcp', port: 8080, protocol: 'kgateway.dev/mcp', allowedRoutes };
  return object('Gateway', { gatewayClassName: 'mcp', listeners: [listener] });
};
const problems = (allowedRoutes: unknown): readonly string[] => problemsOf('Gateway', inGateway(allowedRoutes));

function listener(allowedRoutes: unknown): Listener {
  const [part] = resource('Gateway', inGateway(allowedRoutes)).listeners;
  if (!part?.ok) throw new Error(part?.reason);
  return part.value;
}

const allowed = (allowedRoutes: unknown): RouteNamespaces | string | undefined =>
  valueOrReason(listener(allowedRoutes).namespaces);
const selecting = (selector: unknown): RouteNamespaces | string | undefined => {
  return allowed({ namespaces: { from: 'Selector', selector } });
};
const requirements = (...required: readonly unknown[]): unknown => {
  return { from: 'Selector', selector: { requirements: required }, selectorError: undefined };
};
const expression = (change: Mapping): Mapping => {
  return { matchExpressions: [{ key: 'team', operator: 'In', values: ['a'], ...change }] };
};

const faulty: unknown = expect.stringMatching(/^invalid: spec\.listeners\[0\]\.allowedRoutes/);
const nothing: unknown = {
  from: 'Selector',
  selector: undefined,
  selectorError: expect.stringMatching(/^spec\.listeners\[0\]\.allowedRoutes\.namespaces\.selector/),
};

describe('the namespaces that a listener allows', () => {
  it.each([undefined, {}, { namespaces: {} }, { namespaces: { from: 'Same' } }, { kinds: [] }])(
    'default to Same in %j',
    (value) => expect(allowed(value)).toEqual({ from: 'Same' }),
  );

  it('are all with from All', () => {
    expect(allowed({ namespaces: { from: 'All' } })).toEqual({ from: 'All' });
  });

  it.each<[string, unknown]>([
    ['allowedRoutes that is null', null],
    ['allowedRoutes that is a string', 'All'],
    ['an unknown field', { namespace: { from: 'Same' } }],
    ['namespaces that is null', { namespaces: null }],
    ['namespaces that is a list', { namespaces: [] }],
    ['an unknown field below namespaces', { namespaces: { From: 'Same' } }],
    ['a from that is null', { namespaces: { from: null } }],
    ['a from that is empty', { namespaces: { from: '' } }],
    ['a from in another letter case', { namespaces: { from: 'all' } }],
    ['a from that is None', { namespaces: { from: 'None' } }],
    ['a from that is ambiguous', { namespaces: { from: AMBIGUOUS } }],
    ['kinds that is null', { kinds: null }],
    ['kinds that is a mapping', { kinds: {} }],
    ['a kind that is a string', { kinds: ['HTTPRoute'] }],
    ['a kind without a kind', { kinds: [{ group: '' }] }],
    ['a kind with an unknown field', { kinds: [{ kind: 'HTTPRoute', name: 'x' }] }],
    ['a group that is null', { kinds: [{ kind: 'HTTPRoute', group: null }] }],
  ])('are invalid with %s', (_, value) => {
    expect(allowed(value)).toEqual(faulty);
    expect(problems(value)).toContainEqual(expect.stringMatching(/^error spec\.listeners\[0\]\.allowedRoutes/));
  });

  it('are independent of the listed route kinds', () => {
    const kinds = [{ kind: 'HTTPRoute' }, { group: 'x.example', kind: 'Y' }, { group: '', kind: 'Service' }];
    const read = listener({ kinds, namespaces: { from: 'All' } });
    expect(read.routeKinds).toEqual(['gateway.networking.k8s.io/HTTPRoute', 'x.example/Y', 'Service']);
    expect(valueOrReason(read.namespaces)).toEqual({ from: 'All' });
  });

  it('stay valid above the limit of eight kinds, with an error', () => {
    const kinds = Array(9).fill({ kind: 'HTTPRoute' });
    expect(problems({ kinds })).toEqual([
      'error spec.listeners[0].allowedRoutes.kinds has 9 entries: write at most 8.',
    ]);
    expect(isValid(listener({ kinds }).namespaces)).toBe(true);
  });
});

describe('a selector', () => {
  it('that is empty selects all', () => {
    for (const empty of [{}, { matchLabels: {} }, { matchExpressions: [] }])
      expect(selecting(empty)).toEqual(requirements());
  });

  it('that is missing selects nothing, with a warning', () => {
    expect(selecting(undefined)).toEqual(nothing);
    expect(problems({ namespaces: { from: 'Selector' } })).toEqual([
      expect.stringMatching(/^warning .*\.selector is missing/),
    ]);
  });

  it('consists of its labels and its expressions', () => {
    const matchExpressions = [
      { key: 'b', operator: 'NotIn', values: ['y', 'x', 'y'] },
      { key: 'example.com/c', operator: 'Exists' },
      { key: 'd', operator: 'DoesNotExist', values: [] },
    ];
    expect(selecting({ matchLabels: { a: '' }, matchExpressions })).toEqual(
      requirements(
        { key: 'a', operator: 'In', values: [''] },
        { key: 'b', operator: 'NotIn', values: ['x', 'y'] },
        { key: 'd', operator: 'DoesNotExist' },
        { key: 'example.com/c', operator: 'Exists' },
      ),
    );
  });

  it('equals one whose requirements are spelt, ordered or repeated differently', () => {
    const one = { key: 'a', operator: 'In', values: ['x', 'x'] };
    const two = { key: 'a', operator: 'Exists' };
    expect(selecting({ matchExpressions: [two, one, two] })).toEqual(
      selecting({ matchLabels: { a: 'x' }, matchExpressions: [two] }),
    );
  });

  it('that is valid may be present where `from` does not use it', () => {
    expect(allowed({ namespaces: { from: 'Same', selector: { matchLabels: { a: 'b' } } } })).toEqual({ from: 'Same' });
  });
});

describe('an invalid selector', () => {
  it.each<[string, unknown]>([
    ['null', null],
    ['a list', []],
    ['with an unknown field', { matchLabel: { team: 'a' } }],
    ['with matchLabels that is null', { matchLabels: null }],
    ['with matchLabels that is a list', { matchLabels: [] }],
    ['with matchExpressions that is null', { matchExpressions: null }],
    ['with matchExpressions that is a mapping', { matchExpressions: {} }],
    ['with an unknown field in an expression', expression({ value: 'a' })],
    ['with an unknown operator', expression({ operator: 'Gt' })],
    ['with an operator in another letter case', expression({ operator: 'in' })],
    ['with an operator that is null', expression({ operator: null })],
    ['with an operator that is missing', expression({ operator: undefined })],
  ])('that is %s drops the listener for every value of `from`', (_, selector) => {
    expect(selecting(selector)).toEqual(faulty);
    expect(allowed({ namespaces: { from: 'All', selector } })).toEqual(faulty);
  });

  it.each<[string, unknown]>([
    ['a value that is a number', { matchLabels: { team: 5 } }],
    ['a value that is null', { matchLabels: { team: null } }],
    ['an ambiguous value', { matchLabels: { team: AMBIGUOUS } }],
    ['an ambiguous key', { matchLabels: { on: AMBIGUOUS } }],
    ['a value that is no label value', { matchLabels: { team: 'a b' } }],
    ['a value of 64 characters', { matchLabels: { team: 'a'.repeat(64) } }],
    ['a key that is no label key', { matchLabels: { 'a b': 'c' } }],
    ['a key with an empty prefix', { matchLabels: { '/a': 'c' } }],
    ['a key with a bad prefix', { matchLabels: { 'A_b/c': 'c' } }],
    ['a key of 64 characters', { matchLabels: { ['k'.repeat(64)]: 'c' } }],
    ['an expression that is a string', { matchExpressions: ['team in (a)'] }],
    ['an expression that is null', { matchExpressions: [null] }],
    ['an expression without a key', expression({ key: undefined })],
    ['an expression with an empty key', expression({ key: '' })],
    ['an expression whose key is ambiguous', expression({ key: AMBIGUOUS })],
    ['In without values', expression({ values: undefined })],
    ['In with empty values', expression({ values: [] })],
    ['In with null values', expression({ values: null })],
    ['In with a string of values', expression({ values: 'a' })],
    ['In with a value that is a number', expression({ values: ['a', 5] })],
    ['In with a value that is no label value', expression({ values: ['-'] })],
    ['NotIn without values', expression({ operator: 'NotIn', values: [] })],
    ['Exists with a value', expression({ operator: 'Exists' })],
    ['DoesNotExist with a value', expression({ operator: 'DoesNotExist' })],
  ])('with %s selects nothing, and drops the listener where `from` does not use it', (_, selector) => {
    expect(selecting(selector)).toEqual(nothing);
    expect(allowed({ namespaces: { from: 'Same', selector } })).toEqual(faulty);
    expect(problems({ namespaces: { from: 'Selector', selector } })).toContainEqual(expect.stringMatching(/^error /));
  });

  it('with the key __proto__ selects nothing', () => {
    expect(selecting(JSON.parse('{"matchLabels":{"__proto__":"a"}}'))).toEqual(nothing);
  });
});

describe('a selector with too much in it', () => {
  const absent = (count: number): readonly Mapping[] =>
    Array.from({ length: count }, (_, at) => ({ key: `k${at}`, operator: 'DoesNotExist' }));
  const valued = (count: number): unknown =>
    expression({ operator: 'NotIn', values: Array.from({ length: count }, (_, at) => `v${at}`) });

  it.each<[string, unknown, unknown]>([
    ['64 requirements', { matchExpressions: absent(64) }, { matchExpressions: absent(65) }],
    [
      '64 requirements in both forms',
      { matchLabels: { a: 'b' }, matchExpressions: absent(63) },
      { matchLabels: { a: 'b' }, matchExpressions: absent(64) },
    ],
    ['1,000 values', valued(1_000), valued(1_001)],
  ])('more than %s, selects nothing, with one error', (_, atMost, more) => {
    expect(selecting(atMost)).not.toEqual(nothing);
    expect(selecting(more)).toEqual(nothing);
    expect(problems({ namespaces: { from: 'Selector', selector: more } })).toEqual([
      expect.stringMatching(/^error spec\.listeners\[0\]\.allowedRoutes\.namespaces\.selector has .* more than /),
    ]);
  });
});
