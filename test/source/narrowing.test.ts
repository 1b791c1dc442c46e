import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { KindName } from '../../src/resources/model.ts';
import { decode } from '../../src/resources/resources.ts';
import { isNarrowing } from '../../src/source/narrowing.ts';

interface Spec {
  readonly refs: readonly string[];
  readonly rules: readonly { readonly name: string; readonly callers: readonly string[] }[];
  readonly signer: string | undefined;
}

const names = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 });
const rule = fc.record({ name: fc.constantFrom('a', 'b', 'c'), callers: names });
const spec: fc.Arbitrary<Spec> = fc.record({
  refs: fc.subarray(['gw', 'other'], { minLength: 1 }),
  rules: fc.array(rule, { maxLength: 4 }),
  signer: fc.option(fc.constantFrom('one', 'two'), { nil: undefined }),
});

function policyOf({ refs, rules, signer }: Spec, generation = 1) {
  const decoded = decode<KindName>('MCPAuthPolicy', {
    apiVersion: 'gateway.kgateway.dev/v1alpha1',
    kind: 'MCPAuthPolicy',
    metadata: { namespace: 'default', name: 'policy', generation },
    spec: {
      targetRefs: refs.map((name) => ({ name })),
      rules: rules.map(({ name, callers }) => ({
        matches: callers.map((value) => ({ type: 'JWT', jwt: { claim: 'sub', value } })),
        resource: { kind: 'tool', name: `default/tool:${name}` },
      })),
      ...(signer !== undefined && {
        jwt: { providers: [{ issuer: signer, audiences: ['me'], jwks: { uri: `https://${signer}.example/` } }] },
      }),
    },
  });
  if (!decoded.readable) throw new Error('unreadable');
  return decoded.resource;
}

const grantsOf = ({ rules }: Spec): readonly string[] =>
  rules.flatMap(({ name, callers }) => callers.map((caller) => `${name} ${caller}`));

it('a policy of which rules or matches are left out narrows, and so does one that is deleted and says nothing of signers', () => {
  fc.assert(
    fc.property(spec, fc.infiniteStream(fc.boolean()), (before, kept) => {
      const keep = (): boolean => kept.next().value;
      const rules = before.rules.filter(keep).map(({ name, callers }) => ({ name, callers: callers.filter(keep) }));
      expect(isNarrowing(policyOf(before), policyOf({ ...before, rules }, 2))).toBe(true);
      expect(isNarrowing(policyOf(before), undefined)).toBe(before.signer === undefined);
    }),
  );
});

it('a policy that allows something else, or is for other Gateways or signers, is none that narrows', () => {
  fc.assert(
    fc.property(spec, spec, fc.boolean(), (before, other, isSame) => {
      const after = isSame ? { ...before, rules: other.rules } : other;
      if (!isNarrowing(policyOf(before), policyOf(after))) return;
      expect([after.refs, after.signer]).toEqual([before.refs, before.signer]);
      const granted = grantsOf(before);
      expect(grantsOf(after).filter((grant) => !granted.includes(grant))).toEqual([]);
    }),
    { numRuns: 1_000 },
  );
  expect(isNarrowing(undefined, policyOf({ refs: ['gw'], rules: [], signer: undefined }))).toBe(false);
});
