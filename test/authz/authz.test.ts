import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../../src/authz/authz.ts';
import type { Claims, Decision, Use } from '../../src/authz/model.ts';
import type { Config, Rule } from '../../src/gen/mcp/kgateway/dev/rbac/v1alpha1/rbac.ts';

const use: Use = { kind: 'tool', name: 'default/mcp-tool:convert' };
const claims: Claims = { sub: 'me', iss: 'me', groups: ['me'], level: 5, nested: { sub: 'me' }, yes: true };

const rule = (change: Partial<Rule> = {}): Rule => ({
  key: 'sub',
  value: 'me',
  resource: { id: use.name, type: 0 },
  matcher: 0,
  ...change,
});

const config = (...rules: readonly Rule[]): Config => ({ name: 'p', namespace: 'default', rules: [...rules] });
const world = (...rules: readonly Rule[]): ReadonlyMap<string, Config> => new Map([['default.p', config(...rules)]]);
const granted: Decision = { allowed: true, config: 'default.p', rule: 0 };
const noRule: Decision = { allowed: false, reason: 'no rule matches' };

describe('what a rule allows', () => {
  const unknown = 7 as Rule['matcher'];
  it.each<[string, Rule, Decision]>([
    ['a rule for exactly this tool and claim', rule(), granted],
    ['a rule for everything of the kind', rule({ resource: { id: '*', type: 0 } }), granted],
    ['a rule for another tool', rule({ resource: { id: 'default/mcp-tool:other', type: 0 } }), noRule],
    ['an id that only begins alike', rule({ resource: { id: 'default/mcp-tool:con', type: 0 } }), noRule],
    ['a star inside an id', rule({ resource: { id: 'default/mcp-tool:*', type: 0 } }), noRule],
    ['an empty id', rule({ resource: { id: '', type: 0 } }), noRule],
    ['the same id in another letter case', rule({ resource: { id: use.name.toUpperCase(), type: 0 } }), noRule],
    ['a prompt of the same name', rule({ resource: { id: use.name, type: 1 } }), noRule],
    ['a resource of the same name', rule({ resource: { id: use.name, type: 2 } }), noRule],
    ['a kind unknown here', rule({ resource: { id: '*', type: -1 } }), noRule],
    ['a rule without resource', rule({ resource: undefined }), noRule],
    ['a matcher unknown here', rule({ matcher: -1 }), noRule],
    ['a matcher from the future', rule({ matcher: unknown }), noRule],
    ['another value', rule({ value: 'you' }), noRule],
    ['the value in another letter case', rule({ value: 'ME' }), noRule],
    ['the value with a space', rule({ value: 'me ' }), noRule],
    ['an empty key', rule({ key: '' }), noRule],
    ['an empty value', rule({ value: '' }), noRule],
    ['a claim that the token lacks', rule({ key: 'email' }), noRule],
    ['a list that contains the value', rule({ key: 'groups' }), noRule],
    ['a number that reads alike', rule({ key: 'level', value: '5' }), noRule],
    ['a boolean that reads alike', rule({ key: 'yes', value: 'true' }), noRule],
    ['a claim further down', rule({ key: 'nested.sub' }), noRule],
    ['what every object inherits', rule({ key: 'constructor', value: String(Object) }), noRule],
    ['the prototype', rule({ key: '__proto__', value: String(Object.prototype) }), noRule],
  ])('%s', (_, given, expected) => {
    expect(decide(world(given), claims, use)).toEqual(expected);
  });

  it('an empty claim is not what an empty value asks for', () => {
    expect(decide(world(rule({ value: '' })), { sub: '' }, use)).toEqual(noRule);
  });

  it('the key __proto__ of a token as JSON.parse yields it is a claim like any other, never the prototype', () => {
    const crafted: unknown = JSON.parse('{"__proto__": {"sub": "me"}}');
    expect(decide(world(rule()), crafted as Claims, use)).toEqual(noRule);
  });

  it('prompts and resources are decided by their own kind', () => {
    expect(decide(world(rule({ resource: { id: '*', type: 1 } })), claims, { kind: 'prompt', name: 't:p' })).toEqual(
      granted,
    );
    expect(decide(world(rule({ resource: { id: '*', type: 2 } })), claims, { kind: 'resource', name: 't:r' })).toEqual(
      granted,
    );
  });
});

describe('without a rule', () => {
  it('nobody without claims may do anything', () => {
    expect(decide(world(rule()), undefined, use)).toEqual({ allowed: false, reason: 'no principal' });
  });

  it('nothing is allowed when there is no Config', () => {
    expect(decide(new Map(), claims, use)).toEqual({ allowed: false, reason: 'no config' });
  });

  it('a Config without rules allows nothing', () => {
    expect(decide(world(), claims, use)).toEqual(noRule);
  });
});

describe('which rule is named', () => {
  it('the first that allows, in the Config with the smallest name, in whatever order they arrived', () => {
    const second = config(rule({ value: 'you' }), rule(), rule());
    const entries: [string, Config][] = [
      ['b.p', config(rule())],
      ['a.q', second],
      ['a.z', config(rule())],
      ['a.a', config(rule({ value: 'you' }))],
    ];
    for (const order of [entries, entries.toReversed()]) {
      expect(decide(new Map(order), claims, use)).toEqual({ allowed: true, config: 'a.q', rule: 1 });
    }
  });
});

describe('for any world', () => {
  const text = fc.constantFrom('', 'me', 'you', 'sub', '__proto__', 'constructor', 'toString', '*', use.name);
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
  const anyUse: fc.Arbitrary<Use> = fc.record({
    kind: fc.constantFrom('tool', 'prompt', 'resource'),
    name: fc.constantFrom(use.name, 't:x'),
  });

  it('adding Configs never takes a grant away, and order never matters', () => {
    fc.assert(
      fc.property(configs, fc.nat(), anyClaims, anyUse, (entries, cut, held, wanted) => {
        const before = decide(new Map(entries.slice(0, cut % (entries.length + 1))), held, wanted);
        const after = decide(new Map(entries), held, wanted);
        if (before.allowed) expect(after.allowed).toBe(true);
        expect(decide(new Map(entries.toReversed()), held, wanted)).toEqual(after);
      }),
    );
  });

  it('nobody without claims is allowed, and inherited properties grant nothing', () => {
    fc.assert(
      fc.property(configs, anyUse, (entries, wanted) => {
        expect(decide(new Map(entries), undefined, wanted).allowed).toBe(false);
        expect(decide(new Map(entries), {}, wanted).allowed).toBe(false);
      }),
    );
  });

  it('a grant names a rule that allows on its own', () => {
    fc.assert(
      fc.property(configs, anyClaims, anyUse, (entries, held, wanted) => {
        const decision = decide(new Map(entries), held, wanted);
        if (!decision.allowed) return;
        const named = new Map(entries).get(decision.config)?.rules[decision.rule];
        expect(named).toBeDefined();
        if (named !== undefined) expect(decide(world(named), held, wanted)).toEqual(granted);
      }),
    );
  });
});
