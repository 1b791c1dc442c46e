import { describe, expect, it } from 'vitest';
import { AMBIGUOUS, object, problemsOf, resource, valueOrReason } from '../objects.ts';

const selfManaged = (spec: unknown): unknown =>
  valueOrReason(resource('GatewayParameters', object('GatewayParameters', spec)).selfManaged);

describe('GatewayParameters', () => {
  it.each([{}, { anything: { may: 'stand here' }, kube: null }])('are selfManaged with any content: %j', (inside) => {
    expect(selfManaged({ selfManaged: inside })).toBe(true);
    expect(problemsOf('GatewayParameters', object('GatewayParameters', { selfManaged: inside }))).toEqual([]);
  });

  it.each<[string, unknown, string]>([
    ['nothing', {}, 'spec.selfManaged is missing'],
    ['selfManaged that is null', { selfManaged: null }, 'spec.selfManaged is null'],
    ['selfManaged that is true', { selfManaged: true }, 'spec.selfManaged is a boolean'],
    ['selfManaged that is a list', { selfManaged: [] }, 'spec.selfManaged is a list'],
    ['selfManaged that is ambiguous', { selfManaged: AMBIGUOUS }, 'spec.selfManaged is yes'],
    ['selfManaged that is an instance of a class', { selfManaged: new Date(0) }, 'spec.selfManaged is a mapping'],
    ['kube', { kube: {} }, 'spec.kube is for proxies that a controller deploys'],
    ['kube beside selfManaged', { selfManaged: {}, kube: {} }, 'spec.kube is for proxies that a controller deploys'],
    [
      'a null beside selfManaged',
      { selfManaged: {}, kube: null },
      'spec.kube is for proxies that a controller deploys',
    ],
    ['an unknown field beside selfManaged', { selfManaged: {}, self: {} }, 'spec.self is not a known field'],
  ])('are invalid with %s', (_, spec, reason) => {
    expect(selfManaged(spec)).toContain(`invalid: ${reason}`);
    expect(problemsOf('GatewayParameters', object('GatewayParameters', spec))).toContainEqual(
      expect.stringContaining(`error ${reason}`),
    );
  });
});
