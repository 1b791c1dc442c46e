import { describe, expect, it } from 'vitest';
import { createTranslatedWorld, type Manifest } from '../../support/worlds/translated-world.ts';
import { gateway, gatewayClass } from '../manifests.ts';

const jwt = (claim: string, value: string): object => ({ type: 'JWT', jwt: { claim, value } });
const rule = (name: string, ...matches: readonly object[]): object => ({ matches, resource: { kind: 'tool', name } });

/** What the status of a policy with these rules says of its grants. */
function grantsOf(...rules: readonly object[]): object | undefined {
  const world = createTranslatedWorld();
  const policy: Manifest = {
    apiVersion: 'gateway.kgateway.dev/v1alpha1',
    kind: 'MCPAuthPolicy',
    metadata: { name: 'p' },
    spec: { targetRefs: [{ name: 'g' }], rules },
  };
  world.apply(gatewayClass, gateway('g', { from: 'All' }), policy);
  const { grants, allows } = world.translation.policyStatuses.get('default/p') ?? {};
  return { grants, allows };
}

describe('the grants of a policy', () => {
  it('are one for each match of each rule, of which the first is written out', () => {
    expect(grantsOf(rule('a/b:c', jwt('sub', 'me')))).toEqual({ grants: 1, allows: 'sub=me: tool a/b:c' });
    expect(grantsOf(rule('a/b:c', jwt('sub', 'me'), jwt('sub', 'you')), rule('*', jwt('team', 'x')))).toEqual({
      grants: 3,
      allows: 'sub=me: tool a/b:c and 2 more',
    });
  });

  it('do not include what is dropped', () => {
    expect(grantsOf(rule('no colon', jwt('sub', 'me')), rule('*', jwt('sub', 'you')))).toEqual({
      grants: 1,
      allows: 'sub=you: tool *',
    });
    expect(grantsOf()).toEqual({ grants: 0, allows: 'nothing' });
  });

  it('never read as another rule than the one that is meant', () => {
    expect(grantsOf(rule('*', jwt('sub', 'nobody: tool a/b:c')))).toMatchObject({
      allows: 'sub="nobody: tool a/b:c": tool *',
    });
    expect(grantsOf(rule('a/b:c and 7 more', jwt('sub', 'me\u200b')))).toMatchObject({
      allows: 'sub="me\\u{200b}": tool "a/b:c and 7 more"',
    });
    expect(grantsOf(rule('*', jwt('a "b"', 'system:serviceaccount:bots:agent')))).toMatchObject({
      allows: '"a \\"b\\""=system:serviceaccount:bots:agent: tool *',
    });
  });

  it('are short, however long the texts of the rule are', () => {
    const { allows } = Object(grantsOf(rule(`a/b:${'c'.repeat(1_000)}`, jwt('sub', 'v'.repeat(1_000)))));
    expect(String(allows).length).toBeLessThan(450);
  });
});
