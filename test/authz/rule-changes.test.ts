import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decide, indexRules, ruleChanges } from '../../src/authz/authz.ts';
import { Config, Resource_Type, Rule_Matcher } from '../../src/gen/mcp/kgateway/dev/rbac/v1alpha1/rbac.ts';

type Rule = readonly [key: string, value: string, type: Resource_Type, id: string];

function configOf(...rules: readonly Rule[]): Config {
  return Config.fromPartial({
    rules: rules.map(([key, value, type, id]) => ({
      key,
      value,
      resource: { type, id },
      matcher: Rule_Matcher.EQUALS,
    })),
  });
}

const { TOOL, PROMPT, UNRECOGNIZED } = Resource_Type;
const mine: Rule = ['sub', 'me', TOOL, 'a:x'];
const yours: Rule = ['sub', 'you', TOOL, 'a:x'];

it.each<[string, Config | undefined, Config | undefined, boolean]>([
  ['a Config with a rule about them is added', undefined, configOf(mine), true],
  ['a Config with a rule about them is removed', configOf(mine, yours), undefined, true],
  ['their rule names something else', configOf(mine), configOf(['sub', 'me', TOOL, 'a:y']), true],
  ['their rule is about another claim', configOf(mine), configOf(['name', 'me', TOOL, 'a:x']), true],
  [
    'a rule about others is added and removed',
    configOf(mine, yours),
    configOf(['sub', 'they', TOOL, 'a:x'], mine),
    false,
  ],
  ['their rule is there twice', configOf(mine), configOf(mine, mine), false],
  ['a rule of another kind is added', configOf(mine), configOf(mine, ['sub', 'me', PROMPT, 'a:x']), false],
  ['a rule that can never match is added', configOf(mine), configOf(mine, ['sub', 'me', UNRECOGNIZED, 'a:y']), false],
])('when %s, a change of the rules concerns callers or does not', (_, before, after, concerns) => {
  const changes = ruleChanges([
    [configOf(['sub', 'other', TOOL, '*']), undefined],
    [before, after],
  ]);
  expect(changes.concern('tool', { sub: 'me', roles: ['me'] })).toBe(concerns);
  expect(changes.concern('tool', { sub: 'other' })).toBe(true);
});

const claimNames = ['sub', 'scope', '__proto__', 'constructor', 'a b', ''];
const claimValues = ['me', 'you', '2 b', 'b', ''];
const ids = ['*', 'a:x', 'a:y', 'b:x', 'a:', '', 'x'];
const requests = ['a:x', 'a:y', 'b:x', 'b:z', 'a:', '*'];
const rule = fc.record({
  key: fc.constantFrom(...claimNames),
  value: fc.constantFrom(...claimValues),
  resource: fc.option(
    fc.record({
      type: fc.constantFrom(...Object.values(Resource_Type).filter((type) => typeof type === 'number')),
      id: fc.constantFrom(...ids),
    }),
    {
      nil: undefined,
      freq: 9,
    },
  ),
  matcher: fc.constantFrom(Rule_Matcher.EQUALS, Rule_Matcher.EQUALS, Rule_Matcher.EQUALS, Rule_Matcher.UNRECOGNIZED),
});
const world = fc.dictionary(
  fc.constantFrom('n.p', 'n.q', 'm.p'),
  fc.array(rule, { maxLength: 4 }).map((rules) => Config.fromPartial({ rules })),
);
const claims = fc.dictionary(
  fc.constantFrom(...claimNames),
  fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...claimValues) },
    fc.constantFrom(['me'], { me: true }, 1, null, true),
  ),
);

it('a change of the rules concerns whoever may use something else by it, whatever the rules and claims are', () => {
  let gained = 0;
  const property = fc.property(world, world, claims, (before, after, own) => {
    const changes = ruleChanges(['n.p', 'n.q', 'm.p'].map((name) => [before[name], after[name]] as const));
    for (const kind of ['tool', 'prompt', 'resource'] as const) {
      const [then, now] = [before, after].map((all) => {
        const rules = indexRules(new Map(Object.entries(all)));
        return requests.filter((name) => decide(rules, own, { kind, name }).allowed).join(' ');
      });
      if (then === now) continue;
      gained += 1;
      expect(changes.concern(kind, own)).toBe(true);
    }
  });
  fc.assert(property, { numRuns: 3_000 });
  expect(gained).toBeGreaterThan(100);
});
