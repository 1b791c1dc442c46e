import { beforeEach, describe, expect, it } from 'vitest';
import type { ConfigChange } from '../../../src/gateway/model.ts';
import { type ConfigStore, createConfigStore, type Subscription } from '../../../src/gateway/xds/config-store.ts';
import { DeltaDiscoveryResponse } from '../../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { createRecordedLog, type RecordedLog } from '../../support/edges/recorded-log.ts';
import { config, configOfTomorrow, configType, garbage, target, targetType } from './resources.ts';

let store: ConfigStore;
let log: RecordedLog;
let changes: ConfigChange[];
beforeEach(() => {
  log = createRecordedLog();
  store = createConfigStore(log);
  changes = [];
  store.config.subscribe((change) => changes.push(change));
});

function of(kind: 'Target' | 'Config'): Subscription {
  const found = store.subscriptions.find((subscription) => subscription.kind === kind);
  if (found === undefined) throw new Error(`no subscription to ${kind}`);
  return found;
}
const apply = (
  kind: 'Target' | 'Config',
  resources: readonly object[],
  removedResources: readonly string[] = [],
): string | undefined =>
  of(kind).apply(
    DeltaDiscoveryResponse.fromPartial({
      resources: [...resources],
      removedResources: [...removedResources],
      nonce: 'n',
    }),
  );

const targets = (): readonly string[] => [...store.config.targets.keys()];
const configs = (): readonly string[] => [...store.config.rbacConfigs.keys()];

describe('a response', () => {
  it('adds, replaces and removes resources, and reports the changed ones', () => {
    expect(apply('Target', [target('a/x'), target('a/y')])).toBeUndefined();
    expect(apply('Target', [target('a/x', { port: 9090 }, '2')], ['a/y', 'a/none'])).toBeUndefined();
    expect(store.config.targets.get('a/x')).toEqual({ name: 'a/x', host: '10.0.0.1', port: 9090, path: '' });
    expect(targets()).toEqual(['a/x']);
    expect([...of('Target').versions]).toEqual([['a/x', '2']]);
    expect(changes).toEqual([
      { targets: ['a/x', 'a/y'], rbacConfigs: [] },
      { targets: ['a/x', 'a/y'], rbacConfigs: [] },
    ]);
  });

  it('without a change calls no listener, but updates the versions', () => {
    apply('Config', [config('a.p')]);
    apply('Config', [config('a.p', [{}], '2')], ['a.none']);
    apply('Config', []);
    expect(changes).toHaveLength(1);
    expect([...of('Config').versions]).toEqual([['a.p', '2']]);
  });

  it('applies its resources before its removals', () => {
    apply('Target', [target('a/x')], ['a/x']);
    expect(targets()).toEqual([]);
  });

  it('may use resource_name and removed_resource_names', () => {
    const { name, ...rest } = target('a/x');
    apply('Target', [{ ...rest, resourceName: { name } }]);
    expect(targets()).toEqual(['a/x']);
    of('Target').apply(DeltaDiscoveryResponse.fromPartial({ removedResourceNames: [{ name }] }));
    expect(targets()).toEqual([]);
  });
});

describe('a Target that is rejected', () => {
  it.each<[string, object, string]>([
    ['cannot be read', garbage('a/x', targetType), ''],
    ['has no content', { name: 'a/x' }, 'it has no content'],
    ['is of another type', config('a.x'), `its content is "${configType}"`],
    ['has no name', { ...target(''), name: '' }, 'a resource needs a name'],
    ['has another name in its message', target('a/x', { name: 'a/y' }), 'it calls itself "a/y"'],
    ['has a colon in its name', target('a/x:y'), 'its name contains a colon'],
    ['has no port', target('a/x', { port: 0 }), 'port 0 is not between 1 and 65535'],
    ['has a port out of range', target('a/x', { port: 65536 }), 'port 65536 is not between 1 and 65535'],
    ['has no host', target('a/x', { host: '' }), 'its host and path make no URL'],
    ['has a host without brackets', target('a/x', { host: 'fd00::1' }), 'its host and path make no URL'],
    ['has a host with a user', target('a/x', { host: 'a@b' }), 'its host and path make no URL'],
    ['has a path without slash', target('a/x', { path: 'sse' }), 'its host and path make no URL'],
  ])('because it %s', (_, resource, why) => {
    expect(apply('Target', [resource])).toContain(why);
    expect(targets()).toEqual([]);
  });

  it('does not affect the others, and its earlier version stays in force', () => {
    apply('Target', [target('a/x')]);
    const message = apply(
      'Target',
      [target('a/x', { port: 0 }, '2'), target('a/y'), target('a/z', { path: 'x' })],
      ['a/none'],
    );
    expect(message).toBe('a/x: port 0 is not between 1 and 65535; a/z: its host and path make no URL');
    expect(targets()).toEqual(['a/x', 'a/y']);
    expect([...of('Target').versions]).toEqual([
      ['a/x', '1'],
      ['a/y', '1'],
    ]);
  });
});

describe('a Config that is rejected', () => {
  it.each<[string, object, string]>([
    ['cannot be read', garbage('a.p', configType), ''],
    ['has another name in its message', { ...config('a.p'), name: 'a/p' }, 'a/p: it calls itself "a.p"'],
    ['has no rules', config('a.p', []), 'a.p: it has no rules, which other gateways read as allowing everything'],
    ['has a rule without resource', config('a.p', [{}, { resource: undefined }]), 'a.p: rule 1 has no resource'],
    [
      'has an unknown type',
      config('a.p', [{ resource: { id: '*', type: 3 as 0 } }]),
      'a.p: rule 0 has the unknown resource type 3',
    ],
    ['has an unknown matcher', config('a.p', [{ matcher: 1 as 0 }]), 'a.p: rule 0 has the unknown matcher 1'],
    ['has a rule without key', config('a.p', [{ key: '' }]), 'a.p: rule 0 has no key'],
    ['has a rule without value', config('a.p', [{ value: '' }]), 'a.p: rule 0 has no value'],
    [
      'has a resource without id',
      config('a.p', [{ resource: { id: '', type: 0 } }]),
      'a.p: rule 0 has a resource without id',
    ],
  ])('because it %s', (_, resource, why) => {
    expect(apply('Config', [resource])).toContain(why);
    expect(configs()).toEqual([]);
  });

  it.each(['config', 'rule', 'resource'] as const)('has an unknown field in its %s', (where) => {
    expect(apply('Config', [configOfTomorrow('a.p', where)])).toBe(
      'a.p: it has a field that is not known here, number 9, which may narrow it',
    );
    expect(configs()).toEqual([]);
    expect(apply('Config', [configOfTomorrow('a.p', 'nowhere')])).toBeUndefined();
  });

  it('removes its earlier version, so that nothing is allowed that the newer one may have revoked', () => {
    apply('Config', [config('a.p'), config('a.q')]);
    expect(apply('Config', [config('a.p', [{ matcher: 1 as 0 }], '2'), config('a.r')])).toBe(
      'a.p: rule 0 has the unknown matcher 1',
    );
    expect(configs()).toEqual(['a.q', 'a.r']);
    expect([...of('Config').versions.keys()]).toEqual(['a.q', 'a.r']);
    expect(changes.at(-1)).toEqual({ targets: [], rbacConfigs: ['a.p', 'a.r'] });
  });

  it('and then corrected is in force again', () => {
    apply('Config', [config('a.p', [])]);
    expect(of('Config').status()).toMatchObject({ held: 0, ackedNonce: null, nack: { nonce: 'n' } });
    apply('Config', [config('a.p')]);
    expect(of('Config').status()).toEqual({
      kind: 'Config',
      held: 1,
      ackedNonce: 'n',
      ackedVersion: null,
      nack: null,
    });
  });
});

describe('the rules of the Configs', () => {
  const places = (): readonly string[] =>
    [...(store.config.rules.find('tool', '*')?.values() ?? [])].flatMap((values) =>
      [...values.values()].map(({ config: named, rule }) => `${named} ${rule}`),
    );

  it('are those of the last response, at the moment that listeners are told', () => {
    const seen: (readonly string[])[] = [];
    store.config.subscribe(() => seen.push(places()));
    expect([store.config.rules.empty, places()]).toEqual([true, []]);
    apply('Config', [config('a.p')]);
    const first = store.config.rules;
    expect(store.config.rules).toBe(first);
    apply('Config', [config('a.p', [{ resource: { id: 'x:y', type: 0 } }], '2')]);
    apply('Config', [config('a.q')], ['a.p']);
    apply('Config', [], ['a.q']);
    expect(seen).toEqual([['a.p 0'], [], ['a.q 0'], []]);
    expect(store.config.rules.empty).toBe(true);
  });
});

describe('listeners of the configuration', () => {
  it('see the new state, independently of each other, until they unsubscribe', () => {
    const seen: (readonly string[])[] = [];
    store.config.subscribe(() => {
      throw new Error('broken');
    });
    const stop = store.config.subscribe(() => seen.push(targets()));
    expect(apply('Target', [target('a/x')])).toBeUndefined();
    stop();
    stop();
    apply('Target', [], ['a/x']);
    expect(seen).toEqual([['a/x']]);
    expect(changes).toHaveLength(2);
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(2);
  });
});
