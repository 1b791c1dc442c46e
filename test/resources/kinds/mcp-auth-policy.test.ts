import { describe, expect, it } from 'vitest';
import type { MCPAuthPolicy } from '../../../src/resources/model.ts';
import { AMBIGUOUS, isValid, type Mapping, object, problemsOf, resource, valueOrReason } from '../objects.ts';

const match: Mapping = { type: 'JWT', jwt: { claim: 'sub', value: 'me' } };
const account: Mapping = { type: 'ServiceAccount', serviceAccount: { name: 'robot' } };
const tool: Mapping = { kind: 'tool', name: 'default/mcp-tool:convert' };
const rule: Mapping = { matches: [match], resource: tool };
const ref: Mapping = { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'mcp-gateway' };

const written = (spec: Mapping): Mapping => object('MCPAuthPolicy', { targetRefs: [ref], rules: [rule], ...spec });
const policy = (spec: Mapping): MCPAuthPolicy => resource('MCPAuthPolicy', written(spec));
const problems = (spec: Mapping): readonly string[] => problemsOf('MCPAuthPolicy', written(spec));

const rules = (...entries: readonly unknown[]): ReturnType<typeof rulesOf> => rulesOf(policy({ rules: entries }));
const ruleOf = (value: unknown): ReturnType<typeof valueOrReason> => valueOrReason(rules(value)[0]);
const matches = (...entries: readonly unknown[]): readonly unknown[] => {
  const [first] = rules({ ...rule, matches: entries });
  return first?.ok ? first.value.matches.map(valueOrReason) : [valueOrReason(first)];
};
const matchOf = (value: unknown): unknown => matches(value)[0];

function rulesOf({ rules: part }: MCPAuthPolicy): Extract<typeof part, { ok: true }>['value'] {
  if (!part.ok) throw new Error(part.reason);
  return part.value;
}

const invalid: unknown = expect.stringMatching(/^invalid: spec\./);

describe('a match', () => {
  it.each(['JWT', 'jwt', 'Jwt'])('of type %s is a claim and its value', (type) => {
    expect(matchOf({ ...match, type })).toEqual({ claim: 'sub', value: 'me' });
  });

  it.each(['ServiceAccount', 'serviceaccount', 'SERVICEACCOUNT'])(
    "of type %s is the subject of the service account's token",
    (type) => {
      const serviceAccount = { name: 'a.robot', namespace: 'there' };
      expect(matchOf({ type, serviceAccount })).toEqual({ claim: 'sub', value: 'system:serviceaccount:there:a.robot' });
    },
  );

  it('defaults the namespace of a service account to that of the policy', () => {
    expect(matchOf(account)).toEqual({ claim: 'sub', value: 'system:serviceaccount:here:robot' });
  });

  it.each<[string, unknown]>([
    ['no mapping', 'JWT'],
    ['null', null],
    ['without a type', { jwt: match['jwt'] }],
    ['of an unknown type', { ...match, type: 'OIDC' }],
    ['of an empty type', { ...match, type: '' }],
    ['of a type that is null', { ...match, type: null }],
    ['of a type that is a number', { ...match, type: 5 }],
    ['of an ambiguous type', { ...match, type: AMBIGUOUS }],
    ['with an unknown field', { ...match, not: true }],
    ['with a misspelt block', { ...match, Jwt: match['jwt'] }],
    ['of type JWT without its block', { type: 'JWT' }],
    ['of type JWT with a null block', { type: 'JWT', jwt: null }],
    ['of type JWT with a block that is a string', { type: 'JWT', jwt: 'sub' }],
    ['of type JWT with the other block only', { ...account, type: 'JWT' }],
    ['of type JWT with the other block beside its own', { ...account, ...match }],
    ['of type JWT with a null block beside its own', { ...match, serviceAccount: null }],
    ['of type ServiceAccount without its block', { type: 'ServiceAccount' }],
    ['of type ServiceAccount with the other block only', { ...match, type: 'ServiceAccount' }],
    ['of type ServiceAccount with the other block beside its own', { ...match, ...account }],
    ['with an unknown field in jwt', { ...match, jwt: { claim: 'sub', value: 'me', operator: 'NotEquals' } }],
    ['with an unknown field in serviceAccount', { ...account, serviceAccount: { name: 'robot', kind: 'x' } }],
  ])('that is %s is invalid', (_, value) => {
    expect(matchOf(value)).toEqual(invalid);
  });
});

describe('a match of type JWT', () => {
  it.each<[string, Mapping]>([
    ['no claim', { value: 'me' }],
    ['no value', { claim: 'sub' }],
    ['an empty claim', { claim: '', value: 'me' }],
    ['an empty value', { claim: 'sub', value: '' }],
    ['a claim that is a number', { claim: 5, value: 'me' }],
    ['a value that is a number', { claim: 'sub', value: 5 }],
    ['a value that is a boolean', { claim: 'sub', value: true }],
    ['a value that is null', { claim: 'sub', value: null }],
    ['a value that is a list', { claim: 'sub', value: ['me'] }],
    ['an ambiguous claim', { claim: AMBIGUOUS, value: 'me' }],
    ['an ambiguous value', { claim: 'sub', value: AMBIGUOUS }],
    ['a claim of 254 characters', { claim: 'c'.repeat(254), value: 'me' }],
    ['a value of 1025 characters', { claim: 'sub', value: 'v'.repeat(1025) }],
    ['a control character in the claim', { claim: 'sub\u0000', value: 'me' }],
    ['a line break in the value', { claim: 'sub', value: 'me\n' }],
    ['a C1 control character in the value', { claim: 'sub', value: 'me\u0085' }],
    ['half a surrogate pair in the value', { claim: 'sub', value: 'me\ud800' }],
  ])('with %s is invalid', (_, jwt) => {
    expect(matchOf({ type: 'JWT', jwt })).toEqual(invalid);
  });

  it('limits claims and values in characters, not in UTF-16 units', () => {
    const jwt = { claim: '€'.repeat(253), value: '😀'.repeat(1024) };
    expect(matchOf({ type: 'JWT', jwt })).toEqual(jwt);
    expect(matchOf({ type: 'JWT', jwt: { ...jwt, value: '😀'.repeat(1025) } })).toEqual(invalid);
  });
});

describe('a match of type ServiceAccount', () => {
  it.each<[string, Mapping]>([
    ['no name', {}],
    ['an empty name', { name: '' }],
    ['a name that is a number', { name: 5 }],
    ['an upper case name', { name: 'Robot' }],
    ['a name with a colon', { name: 'there:robot' }],
    ['an empty namespace', { name: 'robot', namespace: '' }],
    ['a namespace that is null', { name: 'robot', namespace: null }],
    ['a dotted namespace', { name: 'robot', namespace: 'a.b' }],
    ['an ambiguous namespace', { name: 'robot', namespace: AMBIGUOUS }],
  ])('with %s is invalid', (_, serviceAccount) => {
    expect(matchOf({ type: 'ServiceAccount', serviceAccount })).toEqual(invalid);
  });
});

describe('the resource of a rule', () => {
  const named = (resourceName: unknown): unknown => ruleOf({ ...rule, resource: { kind: 'tool', name: resourceName } });
  const item = (target: string, name: string): unknown => {
    return expect.objectContaining({ resource: { kind: 'tool', name: { all: false, target, item: name } } });
  };

  it.each([
    ['tool', 'tool'],
    ['TOOL', 'tool'],
    ['Prompt', 'prompt'],
    ['resource', 'resource'],
  ])('accepts the kind %s in any letter case', (kind, understood) => {
    const wanted = { resource: { kind: understood, name: { all: true } } };
    expect(ruleOf({ ...rule, resource: { kind, name: '*' } })).toMatchObject(wanted);
  });

  it('is split at the first colon', () => {
    expect(named('default/mcp-tool:convert')).toEqual(item('default/mcp-tool', 'convert'));
    expect(named('a/b/8080:mcp://x:1')).toEqual(item('a/b/8080', 'mcp://x:1'));
    expect(named('whatever:some tool')).toEqual(item('whatever', 'some tool'));
  });

  it('keeps a star in the name of a tool, with a warning', () => {
    expect(named('a/b:*')).toEqual(item('a/b', '*'));
    expect(problems({ rules: [{ ...rule, resource: { kind: 'tool', name: 'a/b:*' } }] })).toEqual([
      'warning spec.rules[0].resource.name has a "*" that stands for itself: only a name that is just "*" means everything.',
    ]);
  });

  it.each<[string, unknown]>([
    ['empty', ''],
    ['without a colon', 'convert'],
    ['without a target', ':convert'],
    ['without a name', 'a/b:'],
    ['with a star in the target', 'a/*:convert'],
    ['a star and a name', '*:convert'],
    ['two stars', '**'],
    ['a star and a space', '* '],
    ['of 1025 characters', `a/b:${'x'.repeat(1021)}`],
    ['with a control character', 'a/b:con\u0007vert'],
    ['with half a surrogate pair', 'a/b:\udc00'],
    ['a number', 5],
    ['null', null],
    ['ambiguous', AMBIGUOUS],
    ['missing', undefined],
  ])('with a name that is %s makes the rule invalid', (_, name) => {
    expect(named(name)).toEqual(invalid);
  });

  it.each<[string, unknown]>([
    ['missing', undefined],
    ['null', null],
    ['a string', 'tool'],
    ['of another kind', { kind: 'toolbox', name: '*' }],
    ['of no kind', { name: '*' }],
    ['with an unknown field', { ...tool, except: 'x' }],
  ])('that is %s makes the rule invalid', (_, value) => {
    expect(ruleOf({ ...rule, resource: value })).toEqual(invalid);
  });
});

describe('a rule', () => {
  it('keeps its valid matches beside an invalid one, in their order', () => {
    expect(matches(match, { ...match, type: 'OIDC' }, account)).toEqual([
      { claim: 'sub', value: 'me' },
      invalid,
      { claim: 'sub', value: 'system:serviceaccount:here:robot' },
    ]);
  });

  it.each<[string, unknown]>([
    ['no mapping', []],
    ['null', null],
    ['without matches', { resource: tool }],
    ['with empty matches', { ...rule, matches: [] }],
    ['with null matches', { ...rule, matches: null }],
    ['with matches that are no list', { ...rule, matches: match }],
    ['with an unknown field', { ...rule, action: 'Deny' }],
    ['with a misspelt field', { ...rule, match: [match] }],
  ])('that is %s is invalid, and its neighbours stay valid', (_, value) => {
    expect(rules(rule, value, rule).map(isValid)).toEqual([true, false, true]);
  });

  it('is kept when none of its matches is valid', () => {
    expect(ruleOf({ ...rule, matches: [5] })).toMatchObject({ matches: [{ ok: false }] });
  });
});

describe('a targetRef', () => {
  const refOf = (value: unknown): unknown => valueOrReason(policy({ targetRefs: [value] }).targetRefs[0]);

  it('is kept as written, with unsupported fields', () => {
    expect(refOf({ name: 'g' })).toEqual({ name: 'g' });
    expect(refOf({ name: 'g', group: '', kind: '' })).toEqual({ name: 'g', group: '', kind: '' });
    const foreign = { name: 'g', group: 'apps', kind: 'Deployment', sectionName: 'http' };
    expect(refOf(foreign)).toEqual(foreign);
  });

  it.each<[string, unknown]>([
    ['a string', 'mcp-gateway'],
    ['null', null],
    ['without a name', { kind: 'Gateway' }],
    ['with an empty name', { name: '' }],
    ['with a name that is no name', { name: 'A b' }],
    ['with a group that has a version', { ...ref, group: 'gateway.networking.k8s.io/v1' }],
    ['with a group that is null', { ...ref, group: null }],
    ['with a kind that is a number', { ...ref, kind: 5 }],
    ['with an empty sectionName', { ...ref, sectionName: '' }],
    ['with a sectionName that is null', { ...ref, sectionName: null }],
    ['with a misspelt sectionName', { ...ref, sectionname: 'http' }],
    ['with a namespace', { ...ref, namespace: 'here' }],
  ])('that is %s is invalid, and its neighbours stay valid', (_, value) => {
    expect(policy({ targetRefs: [ref, value, ref] }).targetRefs.map(isValid)).toEqual([true, false, true]);
  });

  it.each<[string, Mapping, unknown]>([
    ['a misspelt field', { sectionname: 'http' }, { name: 'g' }],
    ['a namespace', { namespace: 'there' }, { name: 'g', namespace: 'there' }],
    [
      'an unknown field beside others',
      { kind: 'Service', sectionName: 'a', port: 1 },
      { name: 'g', kind: 'Service', sectionName: 'a' },
    ],
  ])('with %s keeps the name that its status is written under', (_, fields, named) => {
    const [part] = policy({ targetRefs: [{ name: 'g', ...fields }] }).targetRefs;
    expect(part).toEqual({ ok: false, reason: expect.stringMatching(/is not (a known field|known here)/), ref: named });
  });
});

describe('a policy', () => {
  it('with an unknown field in its spec has no rules, and keeps its targetRefs', () => {
    const { rules: part, targetRefs } = policy({ action: 'Deny' });
    expect(valueOrReason(part)).toMatch(/^invalid: spec\.action is not a known field/);
    expect(targetRefs.map(isValid)).toEqual([true]);
    expect(problems({ action: 'Deny' })).toEqual([expect.stringMatching(/^error spec\.action /)]);
  });

  it('without rules allows nothing, with a warning', () => {
    for (const none of [[], undefined]) {
      expect(policy({ rules: none }).rules).toEqual({ ok: true, value: [] });
      expect(problems({ rules: none })).toEqual([expect.stringMatching(/^warning spec\.rules .*allows nothing/)]);
    }
  });

  it.each<[string, Mapping, string]>([
    ['no targetRefs', { targetRefs: [] }, 'error spec.targetRefs has 0 entries: write at least 1.'],
    ['targetRefs left out', { targetRefs: undefined }, 'error spec.targetRefs is missing: write a list of Gateways.'],
    ['17 targetRefs', { targetRefs: Array(17).fill(ref) }, 'error spec.targetRefs has 17 entries: write at most 16.'],
    ['257 rules', { rules: Array(257).fill(rule) }, 'error spec.rules has 257 entries: write at most 256.'],
    [
      '65 matches',
      { rules: [{ ...rule, matches: Array(65).fill(match) }] },
      'error spec.rules[0].matches has 65 entries: write at most 64.',
    ],
  ])('with %s exceeds a limit, and all of it still counts', (_, spec, complaint) => {
    expect(problems(spec)).toEqual([complaint]);
    const { targetRefs, rules: part } = policy(spec);
    expect([...targetRefs, part, ...(part.ok ? part.value : [])].every(isValid)).toBe(true);
  });

  it.each(['groups', 'roles', 'aud', 'scp'])(
    'that matches the claim %s has a warning that it usually is a list',
    (claim) => {
      expect(problems({ rules: [{ ...rule, matches: [{ type: 'JWT', jwt: { claim, value: 'x' } }] }] })).toEqual([
        expect.stringMatching(
          new RegExp(`^warning spec\\.rules\\[0\\]\\.matches\\[0\\]\\.jwt\\.claim is "${claim}", usually a list`),
        ),
      ]);
    },
  );

  it('has problems with a remedy, and never with the value of a claim', () => {
    const jwt = { claim: 'sub', value: 'secret\n' };
    const value = [
      { ...match, jwt },
      { ...match, jwt: { claim: 'sub', value: 5 } },
      { ...match, jwt: { claim: AMBIGUOUS, value: 'x' } },
    ];
    expect(problems({ rules: [{ ...rule, matches: value }] })).toEqual([
      'error spec.rules[0].matches[0].jwt.value is not understood: write the value of the claim (1 to 1024 characters, no control characters).',
      'error spec.rules[0].matches[1].jwt.value is a number and no string: quote it.',
      'error spec.rules[0].matches[2].jwt.claim is yes, which YAML 1.1 and YAML 1.2 read differently: quote it to make it a string.',
    ]);
  });
});
