import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, indexRules } from '../../src/authz/authz.ts';
import { Config, Resource_Type } from '../../src/gen/mcp/kgateway/dev/rbac/v1alpha1/rbac.ts';
import type { Rule, TargetName } from '../../src/translate/model.ts';
import { claimKey, claimValue, resourceId, targetName } from '../../src/translate/names.ts';
import { agentgateway } from '../../src/wire/wire.ts';
import { decide as decideByCel, matches } from '../support/agentgateway/authorization.ts';

const kinds = { tool: Resource_Type.TOOL, prompt: Resource_Type.PROMPT, resource: Resource_Type.RESOURCE };

/** Texts of all kinds: what ends a CEL string, what CEL escapes, what JavaScript treats specially, any character. */
const oddTexts = [
  'sub',
  'me',
  '"',
  '\\',
  '\\"',
  "'",
  '`',
  '" || true || "',
  '\\u0041',
  '\\',
  '"""',
  '*',
  '_',
  ':',
  '😀',
  '\u2028',
  '\u0085',
  'é',
  'e\u0301',
  'https://x/y?z=1#"',
  '__proto__',
  'constructor',
  'toString',
  'false',
  'true',
  'a.b',
  '\u200e',
  '\ufeff',
] as const;
const text = fc.oneof(
  fc.constantFrom(...oddTexts),
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.string({ maxLength: 4 }),
);
const label = fc.constantFrom('a', 'b', 'a-b', '8080', 'tool', 'x1');
const target = fc
  .tuple(label, label, fc.option(fc.constantFrom(1, 80, 8080, 65535), { nil: undefined }))
  .map(([namespace, service, further]) => targetName(namespace, service, further))
  .filter((name) => name !== undefined);
/** What a rule may name: targets, and texts that are none, among them names that targets have in the dialect. */
const ruleTarget = fc.oneof(
  target,
  fc.constantFrom('a.b', '80.a.b', 'a', 'a/b/c', 'a/b/080', 'a/b/80/1', '/a', 'A/b', 'a_b/c'),
);
const rule = fc
  .record({
    claim: text.map(claimKey),
    value: text.map(claimValue),
    kind: fc.constantFrom('tool', 'prompt', 'resource'),
    id: fc.oneof(
      fc.constant(resourceId({ all: true })),
      fc.tuple(ruleTarget, text).map(([target, item]) => resourceId({ all: false, target, item })),
    ),
  })
  .filter((one): one is Rule => one.claim !== undefined && one.value !== undefined && one.id !== undefined);
const rules = fc.array(rule, { minLength: 1, maxLength: 4 });

/** Claims of any type; often those of one rule, exactly or nearly, and often beside them others. */
function claimsFor({ claim, value }: Rule): fc.Arbitrary<Record<string, unknown> | undefined> {
  const other = fc.tuple(
    fc.oneof(fc.constant(claim), text),
    fc.oneof(fc.constant(value), fc.constant([value]), fc.constant({ [claim]: value }), text, fc.jsonValue()),
  );
  // Parsed from JSON as a token is, so that `__proto__` is a claim like any other.
  const claims = fc.tuple(fc.array(other, { maxLength: 3 }), fc.boolean()).map(([others, exact]) => {
    const entries = exact ? [...others, [claim, value]] : others;
    const members = entries.map(([name, one]) => `${JSON.stringify(name)}:${JSON.stringify(one)}`);
    return JSON.parse(`{${members.join()}}`);
  });
  return fc.option(claims, { nil: undefined });
}

const question = rules.chain((all) =>
  fc.constantFrom(...all).chain((aim) =>
    fc.record({
      all: fc.constant(all),
      claims: claimsFor(aim),
      kind: fc.oneof(fc.constant(aim.kind), fc.constantFrom('tool', 'prompt', 'resource')),
      target: fc.oneof(target, ...targetOf(aim).map((name) => fc.constant(name))),
      item: fc.oneof(fc.constant(aim.id.slice(aim.id.indexOf(':') + 1)), fc.constant(''), text),
    }),
  ),
);

function targetOf({ id }: Rule): TargetName[] {
  const [namespace = '', service = '', port] = id.slice(0, Math.max(0, id.indexOf(':'))).split('/');
  const name = targetName(namespace, service, port === undefined ? undefined : Number(port));
  return name === undefined ? [] : [name];
}

function decidesByAuthz({ all, claims, kind, target, item }: Question): boolean {
  const wireRules = all.map((one) => ({
    key: one.claim,
    value: one.value,
    resource: { id: one.id, type: kinds[one.kind] },
  }));
  const config = Config.fromPartial({ name: 'p', namespace: 'default', rules: wireRules });
  return decide(indexRules(new Map([['default.p', config]])), claims, { kind, name: `${target}:${item}` }).allowed;
}

function decidesByExpressions({ all, claims, kind, target, item }: Question): boolean {
  const allow = agentgateway.allowList(all) ?? ['false'];
  return decideByCel([{ allow, deny: [], require: [] }], claims, { kind, target: dotted(target), name: item });
}

type Question = typeof question extends fc.Arbitrary<infer Q> ? Q : never;

const dotted = (name: TargetName): string => name.split('/').reverse().join('.');

describe('an expression', () => {
  it('decides as the rule on the other wire, for any claims and any names', () => {
    let allowed = 0;
    fc.assert(
      fc.property(question, (asked) => {
        const expected = decidesByAuthz(asked);
        if (expected) allowed += 1;
        expect(decidesByExpressions(asked)).toBe(expected);
      }),
      { numRuns: 3000 },
    );
    expect(allowed, 'the property is about allowed calls too').toBeGreaterThan(100);
  });

  it.each(oddTexts)('compares the claim %j by its characters', (odd) => {
    const claim = claimKey(odd);
    const value = claimValue(odd);
    if (claim === undefined || value === undefined) return;
    const id = resourceId({ all: false, target: 'default/a', item: odd });
    if (id === undefined) throw new Error('no id');
    const [expression = ''] = agentgateway.allowList([{ claim, value, kind: 'tool', id }]) ?? [];
    const claims = JSON.parse(`{${JSON.stringify(odd)}:${JSON.stringify(odd)}}`);
    expect(matches(expression, claims, { kind: 'tool', target: 'a.default', name: odd })).toBe(true);
    expect(matches(expression, claims, { kind: 'tool', target: 'a.default', name: `${odd}x` })).toBe(false);
    expect(matches(expression, claims, { kind: 'prompt', target: 'a.default', name: odd })).toBe(false);
    expect(matches(expression, { [`${odd}x`]: odd }, { kind: 'tool', target: 'a.default', name: odd })).toBe(false);
    expect(matches(expression, undefined, { kind: 'tool', target: 'a.default', name: odd })).toBe(false);
  });
});

describe('a rule for something that is no name of a target', () => {
  it('never allows the target that has this text as its name in the dialect', () => {
    const id = resourceId({ all: false, target: 'echo.default', item: 'echo' });
    const [claim, value] = [claimKey('sub'), claimValue('me')];
    if (id === undefined || claim === undefined || value === undefined) throw new Error('not a rule');
    expect(agentgateway.allowList([{ claim, value, kind: 'tool', id }])).toBeUndefined();
  });

  it('leaves the other rules of its policy', () => {
    const [claim, value] = [claimKey('sub'), claimValue('me')];
    const [none, all] = [resourceId({ all: false, target: 'x', item: 'y' }), resourceId({ all: true })];
    if (!(claim && value && none && all)) throw new Error('not a rule');
    const rest = { claim, value, kind: 'tool' } as const;
    expect(
      agentgateway.allowList([
        { ...rest, id: none },
        { ...rest, id: all },
      ]),
    ).toEqual(['jwt["sub"] == "me" && mcp.tool.name != ""']);
  });
});
