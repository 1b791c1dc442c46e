import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allowsAnythingOf, decide as decideByIndex, indexRules, reachableTargets } from '../../src/authz/authz.ts';
import type { AccessRequest, Claims, Decision } from '../../src/authz/model.ts';
import type { Config, Resource_Type, Rule } from '../../src/gen/mcp/kgateway/dev/rbac/v1alpha1/rbac.ts';

const decide = (configs: ReadonlyMap<string, Config>, held: Claims | undefined, wanted: AccessRequest): Decision =>
  decideByIndex(indexRules(configs), held, wanted);

const request: AccessRequest = { kind: 'tool', name: 'default/mcp-tool:convert' };
const claims: Claims = { sub: 'me', iss: 'me', groups: ['me'], level: 5, nested: { sub: 'me' }, yes: true };

const rule = (change: Partial<Rule> = {}): Rule => ({
  key: 'sub',
  value: 'me',
  resource: { id: request.name, type: 0 },
  matcher: 0,
  ...change,
});

const config = (...rules: readonly Rule[]): Config => ({ name: 'p', namespace: 'default', rules: [...rules] });
const configsOf = (...rules: readonly Rule[]): ReadonlyMap<string, Config> =>
  new Map([['default.p', config(...rules)]]);
const granted: Decision = { allowed: true, config: 'default.p', rule: 0 };
const noRule: Decision = { allowed: false, reason: 'no rule matches' };

describe('a decision over one rule', () => {
  const unknown = 7 as Rule['matcher'];
  it.each<[string, Rule, Decision]>([
    ['allows a rule with the id of this tool and a claim of the caller', rule(), granted],
    ['allows a rule with the id *', rule({ resource: { id: '*', type: 0 } }), granted],
    ['denies another id', rule({ resource: { id: 'default/mcp-tool:other', type: 0 } }), noRule],
    ['denies a prefix of the id', rule({ resource: { id: 'default/mcp-tool:con', type: 0 } }), noRule],
    ['denies a star inside an id', rule({ resource: { id: 'default/mcp-tool:*', type: 0 } }), noRule],
    ['denies an empty id', rule({ resource: { id: '', type: 0 } }), noRule],
    ['denies the id in another letter case', rule({ resource: { id: request.name.toUpperCase(), type: 0 } }), noRule],
    ['denies a prompt of the same name', rule({ resource: { id: request.name, type: 1 } }), noRule],
    ['denies a resource of the same name', rule({ resource: { id: request.name, type: 2 } }), noRule],
    ['denies an unknown kind', rule({ resource: { id: '*', type: -1 } }), noRule],
    ['denies a rule without resource', rule({ resource: undefined }), noRule],
    ['denies the unrecognized matcher', rule({ matcher: -1 }), noRule],
    ['denies a matcher of a later version', rule({ matcher: unknown }), noRule],
    ['denies another value', rule({ value: 'you' }), noRule],
    ['denies the value in another letter case', rule({ value: 'ME' }), noRule],
    ['denies the value with a trailing space', rule({ value: 'me ' }), noRule],
    ['denies an empty key', rule({ key: '' }), noRule],
    ['denies an empty value', rule({ value: '' }), noRule],
    ['denies a claim that the token lacks', rule({ key: 'email' }), noRule],
    ['denies a list claim that contains the value', rule({ key: 'groups' }), noRule],
    ['denies a number claim of the same digits', rule({ key: 'level', value: '5' }), noRule],
    ['denies a boolean claim of the same text', rule({ key: 'yes', value: 'true' }), noRule],
    ['denies a nested claim', rule({ key: 'nested.sub' }), noRule],
    ['denies an inherited property', rule({ key: 'constructor', value: String(Object) }), noRule],
    ['denies the prototype', rule({ key: '__proto__', value: String(Object.prototype) }), noRule],
  ])('%s', (_, given, expected) => {
    expect(decide(configsOf(given), claims, request)).toEqual(expected);
  });

  it('denies an empty value although the claim is empty', () => {
    expect(decide(configsOf(rule({ value: '' })), { sub: '' }, request)).toEqual(noRule);
  });

  it('treats the key __proto__ of a parsed token as a claim, not as the prototype', () => {
    const crafted: unknown = JSON.parse('{"__proto__": {"sub": "me"}}');
    expect(decide(configsOf(rule()), crafted as Claims, request)).toEqual(noRule);
  });

  it.each(['default/mcp-tool:', ':', ''])('denies %j, which has no name, by a rule for * or for itself', (name) => {
    const everything = configsOf(rule({ resource: { id: '*', type: 0 } }));
    expect(decide(everything, claims, { kind: 'tool', name })).toEqual(noRule);
    expect(decide(configsOf(rule({ resource: { id: name, type: 0 } })), claims, { kind: 'tool', name })).toEqual(
      noRule,
    );
    expect(decide(everything, claims, { kind: 'tool', name: 'default/mcp-tool::' })).toEqual(granted);
  });

  it('matches prompts and resources by their own kind', () => {
    expect(
      decide(configsOf(rule({ resource: { id: '*', type: 1 } })), claims, { kind: 'prompt', name: 't:p' }),
    ).toEqual(granted);
    expect(
      decide(configsOf(rule({ resource: { id: '*', type: 2 } })), claims, { kind: 'resource', name: 't:r' }),
    ).toEqual(granted);
  });
});

describe('a decision without a matching rule', () => {
  it('denies a request without claims', () => {
    expect(decide(configsOf(rule()), undefined, request)).toEqual({ allowed: false, reason: 'no principal' });
  });

  it('denies every request when there is no Config', () => {
    expect(decide(new Map(), claims, request)).toEqual({ allowed: false, reason: 'no config' });
  });

  it('denies every request over a Config without rules', () => {
    expect(decide(configsOf(), claims, request)).toEqual(noRule);
  });
});

describe('the rule that a decision names', () => {
  it('is the first match in the Config with the smallest name, regardless of the order of the Configs', () => {
    const second = config(rule({ value: 'you' }), rule(), rule());
    const entries: [string, Config][] = [
      ['b.p', config(rule())],
      ['a.q', second],
      ['a.z', config(rule())],
      ['a.a', config(rule({ value: 'you' }))],
    ];
    for (const order of [entries, entries.toReversed()]) {
      expect(decide(new Map(order), claims, request)).toEqual({ allowed: true, config: 'a.q', rule: 1 });
    }
  });
});

describe('whether a caller may use anything of a target', () => {
  const may = (target: string, resource: Rule['resource'], held: Claims | undefined): boolean =>
    allowsAnythingOf(indexRules(configsOf(rule({ resource }))), held, target);

  it.each([
    ['default/a', 'default/a:x', true],
    ['default/a', 'default/a:x:y', true],
    ['default/a', '*', true],
    ['default/a', 'default/ab:x', false],
    ['default/ab', 'default/a:x', false],
    ['default/a', 'default/a', false],
    ['default/a', ':x', false],
    ['default/a', '*:x', false],
    ['*', '*:x', true],
    ['__proto__', 'default/a:x', false],
  ])('target %s by a rule for %s: %s', (target, id, expected) => {
    for (const type of [0, 1, 2] as const) expect(may(target, { id, type }, claims), `${type}`).toBe(expected);
  });

  it('is no without claims, for a rule of an unknown kind, and for another caller', () => {
    expect(may('default/a', { id: '*', type: 0 }, undefined)).toBe(false);
    expect(may('default/a', { id: '*', type: -1 }, claims)).toBe(false);
    expect(may('default/a', undefined, claims)).toBe(false);
    expect(may('default/a', { id: '*', type: 0 }, { sub: 'you' })).toBe(false);
  });
});

describe('decisions over any Configs', () => {
  const text = fc.constantFrom('', 'me', 'you', 'sub', '__proto__', 'constructor', 'toString', '*', 't:', request.name);
  const anyRule: fc.Arbitrary<Rule> = fc.record({
    key: text,
    value: text,
    resource: fc.option(fc.record({ id: text, type: fc.constantFrom(0, 1, 2, -1) }), { nil: undefined }),
    matcher: fc.constantFrom(0, -1),
  });
  const configs = fc
    .uniqueArray(fc.tuple(fc.string({ maxLength: 3 }), fc.array(anyRule, { maxLength: 4 })), {
      selector: ([name]) => name,
      maxLength: 5,
    })
    .map((entries) => entries.map(([name, rules]): [string, Config] => [name, config(...rules)]));
  const anyClaims = fc.dictionary(text, fc.oneof(text, fc.array(text), fc.integer(), fc.constant(null)));
  const anyRequest: fc.Arbitrary<AccessRequest> = fc.record({
    kind: fc.constantFrom('tool', 'prompt', 'resource'),
    name: fc.constantFrom(request.name, 't:x', 't:'),
  });

  it('grant no less when Configs are added, and the same in any order', () => {
    fc.assert(
      fc.property(configs, fc.nat(), anyClaims, anyRequest, (entries, cut, held, wanted) => {
        const before = decide(new Map(entries.slice(0, cut % (entries.length + 1))), held, wanted);
        const after = decide(new Map(entries), held, wanted);
        if (before.allowed) expect(after.allowed).toBe(true);
        expect(decide(new Map(entries.toReversed()), held, wanted)).toEqual(after);
      }),
    );
  });

  it('deny a request without claims, and do not match inherited properties', () => {
    fc.assert(
      fc.property(configs, anyRequest, (entries, wanted) => {
        expect(decide(new Map(entries), undefined, wanted).allowed).toBe(false);
        expect(decide(new Map(entries), {}, wanted).allowed).toBe(false);
      }),
    );
  });

  it('are those of a look at every rule', () => {
    fc.assert(
      fc.property(configs, anyClaims, anyRequest, (entries, held, wanted) => {
        expect(decide(new Map(entries), held, wanted)).toEqual(decideByLooking(new Map(entries), held, wanted));
      }),
      { numRuns: 2_000 },
    );
  });

  it('allow by a rule that allows on its own', () => {
    fc.assert(
      fc.property(configs, anyClaims, anyRequest, (entries, held, wanted) => {
        const decision = decide(new Map(entries), held, wanted);
        if (!decision.allowed) return;
        const named = new Map(entries).get(decision.config)?.rules[decision.rule];
        expect(named).toBeDefined();
        if (named !== undefined) expect(decide(configsOf(named), held, wanted)).toEqual(granted);
      }),
    );
  });
});

/** The specification of a decision, which looks at every rule. */
function decideByLooking(configs: ReadonlyMap<string, Config>, held: Claims, { kind, name }: AccessRequest): Decision {
  if (configs.size === 0) return { allowed: false, reason: 'no config' };
  const type = { tool: 0, prompt: 1, resource: 2 }[kind];
  const matches = ({ key, value, resource, matcher }: Rule): boolean =>
    resource !== undefined &&
    resource.type === type &&
    !/^[^:]*:$/.test(name) &&
    (resource.id === name || resource.id === '*') &&
    matcher === 0 &&
    key !== '' &&
    value !== '' &&
    Object.hasOwn(held, key) &&
    held[key] === value;
  for (const [named, { rules }] of [...configs].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const found = rules.findIndex(matches);
    if (found !== -1) return { allowed: true, config: named, rule: found };
  }
  return noRule;
}

describe('the work of a decision', () => {
  /** A rule that counts how often its resource, its key or its value is read. */
  const counted = (given: Rule, reads: { count: number }): Rule =>
    new Proxy(given, {
      get(target, member, receiver) {
        reads.count += 1;
        return Reflect.get(target, member, receiver);
      },
    });

  it.each([
    ['for one name each', (index: number) => rule({ resource: { id: `t:${index}`, type: 0 } })],
    [
      'for everything, one claim value each',
      (index: number) => rule({ value: `${index}`, resource: { id: '*', type: 0 } }),
    ],
    ['for everything, one claim each', (index: number) => rule({ key: `c${index}`, resource: { id: '*', type: 0 } })],
  ])('looks at each of 15,000 rules once, for 20,000 decisions: %s', (_, make) => {
    const reads = { count: 0 };
    const configs = new Map(
      Array.from({ length: 100 }, (_config, position): [string, Config] => {
        const rules = Array.from({ length: 150 }, (_rule, inside) => counted(make(position * 150 + inside), reads));
        return [`n.p${position}`, config(...rules)];
      }),
    );
    const index = indexRules(configs);
    const indexing = reads.count;
    expect(indexing).toBeLessThanOrEqual(15_000 * 8);

    const lookups = { count: 0 };
    const held = new Proxy<Claims>(claims, {
      get(target, member, receiver) {
        lookups.count += 1;
        return Reflect.get(target, member, receiver);
      },
    });
    for (let entry = 0; entry < 20_000; entry += 1) decideByIndex(index, held, { kind: 'tool', name: `t:${entry}` });
    expect(reads.count).toBe(indexing);
    // Each decision looks at the claims of the caller, for the rules of this name and for those of all names.
    expect(lookups.count).toBeLessThanOrEqual(20_000 * 2 * Object.keys(claims).length);
  });
});

describe('the targets that a caller can reach', () => {
  it('are those of the rules that match the caller and the kind', () => {
    const configs = configsOf(
      rule(),
      rule({ resource: { id: 'default/other:x', type: 0 } }),
      rule({ resource: { id: 'default/prompts:x', type: 1 } }),
      rule({ resource: { id: 'default/yours:x', type: 0 }, value: 'you' }),
      rule({ resource: undefined }),
    );
    expect(reachableTargets(indexRules(configs), claims, 'tool')).toEqual(
      new Set(['default/mcp-tool', 'default/other']),
    );
    expect(reachableTargets(indexRules(configs), claims, 'resource')).toEqual(new Set());
    expect(reachableTargets(indexRules(configs), undefined, 'tool')).toEqual(new Set());
    expect(reachableTargets(indexRules(configsOf(rule({ resource: { id: '*', type: 0 } }))), claims, 'tool')).toBe(
      'all',
    );
  });

  it('contain the target of everything that is allowed', () => {
    const kinds = ['tool', 'prompt', 'resource'] as const;
    const target = fc.constantFrom('a', 'b/c');
    const name = fc.constantFrom('x', 'x:y', '*');
    const anyRule = fc
      .record({
        target,
        name,
        type: fc.constantFrom<Resource_Type>(-1, 0, 1, 2),
        value: fc.constantFrom('me', 'you', ''),
      })
      .map(({ target: at, name: id, type, value }) => rule({ resource: { id: `${at}:${id}`, type }, value }));
    fc.assert(
      fc.property(fc.array(anyRule), target, name, fc.constantFrom(...kinds), (rules, at, id, kind) => {
        const configs = configsOf(...rules);
        const reachable = reachableTargets(indexRules(configs), claims, kind);
        const { allowed } = decide(configs, claims, { kind, name: `${at}:${id}` });
        if (allowed) expect(reachable === 'all' || reachable.has(at)).toBe(true);
      }),
    );
  });
});
