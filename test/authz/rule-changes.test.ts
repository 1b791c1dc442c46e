import { expect, it } from 'vitest';
import { ruleChanges } from '../../src/authz/authz.ts';
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
