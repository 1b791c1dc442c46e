import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { createGraph } from '../../src/graph/graph.ts';
import type { Graph, Source } from '../../src/graph/model.ts';
import type { Delta, PlacedResource, Snapshot, View } from '../../src/snapshot/model.ts';
import { createSnapshots, type ShardScope, type SnapshotStore } from '../../src/snapshot/snapshot.ts';
import type { EncodedResource } from '../../src/wire/model.ts';
import { mcpKgateway, versionOfAll } from '../../src/wire/wire.ts';
import { config, rule, target } from '../support/worlds/wire-values.ts';

const targetType = mcpKgateway.targetType.typeUrl;
const configType = mcpKgateway.configType.typeUrl;

let graph: Graph;
let targets: Source<PlacedResource>;
let configs: Source<PlacedResource>;
let gateways: Source<ShardScope>;
let snapshots: SnapshotStore;

beforeEach(() => {
  graph = createGraph();
  targets = graph.source({ name: 'targets' });
  configs = graph.source({ name: 'configs' });
  gateways = graph.source({ name: 'gateways' });
  snapshots = createStore();
});

function createStore(): SnapshotStore {
  return createSnapshots({
    gateways,
    digest: versionOfAll,
    types: [
      {
        type: mcpKgateway.targetType,
        resources: targets,
        shardOf: (name) => name.slice(0, name.indexOf('/') + 1),
        scopeOf: (gateway) => gateways.get(gateway) ?? { kind: 'none' },
      },
      {
        type: mcpKgateway.configType,
        resources: configs,
        scopeOf: (gateway) => ({ kind: 'shards', shards: [gateway] }),
      },
    ],
  });
}

const commit = (edit: () => void): void => snapshots.apply(graph.commit(edit));
const setTarget = (name: string, port = 80): void =>
  targets.set(name, {
    shard: name.slice(0, name.indexOf('/') + 1),
    resource: mcpKgateway.encodeTarget(target(name, { port })),
  });
const setConfig = (gateway: string, namespace: string, name: string): void =>
  configs.set(`${gateway}|${namespace}/${name}`, {
    shard: gateway,
    resource: mcpKgateway.encodeConfig(config(namespace, name, rule())),
  });
const view = (gateway: string, typeUrl = targetType): View => {
  const found = snapshots.of(gateway).views.get(typeUrl);
  if (found === undefined) throw new Error(`no view of ${typeUrl}`);
  return found;
};
const names = (of: View): string[] => [...of.resources()].map(({ name }) => name);
const namesOf = ({ changed, removed }: Delta): object => ({ changed: changed.map(({ name }) => name), removed });
const inNamespaces = (...namespaces: string[]): ShardScope => ({
  kind: 'shards',
  shards: namespaces.map((n) => `${n}/`),
});

describe('the views of a Gateway', () => {
  it('contain the shards of its scope and nothing else', () => {
    commit(() => {
      gateways.set('x/gw', inNamespaces('a', 'c'));
      for (const name of ['a/1', 'b/1', 'c/1', 'c/2']) setTarget(name);
    });
    expect(names(view('x/gw'))).toEqual(['a/1', 'c/1', 'c/2']);
    expect(view('x/gw').get('c/2')?.name).toBe('c/2');
    expect(view('x/gw').get('b/1')).toBeUndefined();
    expect(view('x/gw').size).toBe(3);
  });

  it('contain everything, in bytewise order of the names, when the scope is everything', () => {
    commit(() => {
      gateways.set('x/gw', { kind: 'all' });
      for (const name of ['a/z', 'a-b/a', 'a/b', 'b/a']) setTarget(name);
    });
    expect(names(view('x/gw'))).toEqual(['a-b/a', 'a/b', 'a/z', 'b/a']);
  });

  it('are empty for an unknown Gateway', () => {
    commit(() => setTarget('a/1'));
    expect(snapshots.of('no/gateway')).toMatchObject({ gateway: 'no/gateway', exists: false });
    expect(names(view('no/gateway'))).toEqual([]);
    expect(names(view('no/gateway', configType))).toEqual([]);
  });

  it('contain no Configs of other Gateways', () => {
    commit(() => {
      gateways.set('x/one', { kind: 'none' });
      gateways.set('x/two', { kind: 'none' });
      setConfig('x/one', 'x', 'p');
      setConfig('x/two', 'x', 'q');
    });
    expect(names(view('x/one', configType))).toEqual(['x.p']);
    expect(names(view('x/two', configType))).toEqual(['x.q']);
    expect(view('x/one', configType).get('x.q')).toBeUndefined();
  });

  it('are empty after the Gateway was deleted', () => {
    commit(() => {
      gateways.set('x/gw', { kind: 'all' });
      setTarget('a/1');
      setConfig('x/gw', 'x', 'p');
    });
    commit(() => gateways.delete('x/gw'));
    expect(snapshots.of('x/gw').exists).toBe(false);
    expect(names(view('x/gw'))).toEqual([]);
    expect(names(view('x/gw', configType))).toEqual([]);
  });
});

describe('a change of several commits', () => {
  const part = (edit: () => void): void => snapshots.apply(graph.commit(edit), { more: true });

  beforeEach(() =>
    commit(() => {
      gateways.set('x/gw', inNamespaces('a'));
      gateways.set('x/goes', { kind: 'all' });
      for (const name of ['a/1', 'a/2', 'b/1']) setTarget(name);
    }),
  );

  it('is seen by nobody before the last of them', () => {
    const seen: string[][] = [];
    snapshots.subscribe('x/gw', ({ views }) => seen.push(names(views.get(targetType) as View)));
    part(() => targets.delete('a/1'));
    part(() => {
      gateways.set('x/gw', inNamespaces('a', 'b'));
      gateways.set('x/comes', { kind: 'all' });
      gateways.delete('x/goes');
    });
    expect(names(view('x/gw'))).toEqual(['a/1', 'a/2']);
    expect(names(view('x/goes'))).toEqual(['a/1', 'a/2', 'b/1']);
    expect([...snapshots.gateways()]).toEqual(['x/gw', 'x/goes']);
    expect(snapshots.of('x/goes').exists).toBe(true);
    expect(snapshots.of('x/comes').exists).toBe(false);
    expect(names(view('x/comes'))).toEqual([]);
    expect(seen).toEqual([]);
    commit(() => setTarget('a/3'));
    expect(seen).toEqual([['a/2', 'a/3', 'b/1']]);
    expect(names(view('x/comes'))).toEqual(['a/2', 'a/3', 'b/1']);
    expect(snapshots.of('x/goes').exists).toBe(false);
    expect(names(view('x/goes'))).toEqual([]);
  });

  it('that comes to nothing is no change of a view of another Gateway', () => {
    const seen: string[] = [];
    snapshots.subscribe('x/comes', ({ gateway }) => seen.push(gateway));
    part(() => gateways.set('x/comes', { kind: 'none' }));
    commit(() => gateways.delete('x/comes'));
    expect(seen).toEqual([]);
  });
});

describe('a delta', () => {
  it('lists changed and removed resources', () => {
    commit(() => {
      gateways.set('x/gw', { kind: 'all' });
      for (const name of ['a/1', 'a/2', 'b/1']) setTarget(name);
    });
    const before = view('x/gw');
    commit(() => {
      setTarget('a/2', 81);
      setTarget('c/1');
      targets.delete('b/1');
    });
    expect(namesOf(snapshots.diff(before, view('x/gw')))).toEqual({ changed: ['a/2', 'c/1'], removed: ['b/1'] });
    expect(names(before)).toEqual(['a/1', 'a/2', 'b/1']);
  });

  it('is computed once for all nodes with the same pair of views', () => {
    commit(() => {
      gateways.set('x/one', { kind: 'all' });
      gateways.set('x/two', { kind: 'all' });
      setTarget('a/1');
    });
    const before = view('x/one');
    expect(view('x/two')).toBe(before);
    commit(() => setTarget('a/1', 81));
    const one = snapshots.diff(before, view('x/one'));
    expect(snapshots.diff(before, view('x/two'))).toBe(one);
  });

  it('is empty after a resource was removed and added again unchanged', () => {
    commit(() => {
      gateways.set('x/gw', { kind: 'all' });
      setTarget('a/1');
    });
    const before = view('x/gw');
    commit(() => targets.delete('a/1'));
    commit(() => setTarget('a/1'));
    expect(namesOf(snapshots.diff(before, view('x/gw')))).toEqual({ changed: [], removed: [] });
  });

  it('contains only the shards that a change of scope adds and removes', () => {
    commit(() => {
      gateways.set('x/gw', inNamespaces('a', 'b'));
      for (const name of ['a/1', 'b/1', 'c/1']) setTarget(name);
    });
    const before = view('x/gw');
    commit(() => gateways.set('x/gw', inNamespaces('b', 'c')));
    expect(namesOf(snapshots.diff(before, view('x/gw')))).toEqual({ changed: ['c/1'], removed: ['a/1'] });
  });
});

describe('a subscriber', () => {
  it('is notified once per commit that changed its Gateway, and not for other Gateways', () => {
    const notified: Snapshot[] = [];
    commit(() => {
      gateways.set('x/gw', inNamespaces('a'));
      gateways.set('x/other', inNamespaces('b'));
    });
    snapshots.subscribe('x/gw', (snapshot) => notified.push(snapshot));
    commit(() => {
      setTarget('a/1');
      setTarget('a/2');
      setConfig('x/gw', 'x', 'p');
    });
    commit(() => setTarget('b/1'));
    commit(() => setConfig('x/other', 'x', 'p'));
    expect(notified.map(({ gateway }) => gateway)).toEqual(['x/gw']);
  });

  it('E8 is notified after every Gateway has the new generation', () => {
    const seen: string[][] = [];
    commit(() => {
      gateways.set('x/one', { kind: 'all' });
      gateways.set('x/two', { kind: 'all' });
    });
    snapshots.subscribe('x/one', () => seen.push(names(view('x/two'))));
    commit(() => setTarget('a/1'));
    expect(seen).toEqual([['a/1']]);
  });

  it('is notified also if another one throws, which the caller is told', () => {
    const notified: string[] = [];
    for (const gateway of ['x/one', 'x/two']) {
      snapshots.subscribe(gateway, () => {
        notified.push(gateway);
        throw new Error(`on purpose: ${gateway}`);
      });
      snapshots.subscribe(gateway, ({ views }) => notified.push(names(views.get(targetType) as View).join()));
    }
    const create = (): void => {
      for (const gateway of ['x/one', 'x/two']) gateways.set(gateway, { kind: 'all' });
      setTarget('x/a');
    };
    expect(() => commit(create)).toThrow('on purpose: x/one');
    expect(notified).toEqual(['x/one', 'x/a', 'x/two', 'x/a']);
  });

  it('is notified when its Gateway is created and deleted, and not after it unsubscribed', () => {
    const notified: boolean[] = [];
    const stop = snapshots.subscribe('x/gw', ({ exists }) => notified.push(exists));
    commit(() => gateways.set('x/gw', { kind: 'none' }));
    commit(() => gateways.delete('x/gw'));
    stop();
    stop();
    commit(() => gateways.set('x/gw', { kind: 'none' }));
    expect(notified).toEqual([true, false]);
  });
});

describe('the version of a view', () => {
  it('B4 H2 depends on the members alone, not on history', () => {
    commit(() => {
      gateways.set('x/all', { kind: 'all' });
      gateways.set('x/some', inNamespaces('a', 'b'));
      setTarget('b/1');
      setTarget('z/1');
    });
    commit(() => targets.delete('z/1'));
    commit(() => setTarget('a/1'));
    expect(view('x/all').version()).toBe(view('x/some').version());
    const before = view('x/all').version();
    commit(() => setTarget('a/1', 81));
    expect(view('x/all').version()).not.toBe(before);
  });
});

const anyName = fc.tuple(fc.constantFrom('a', 'a-b', 'b'), fc.constantFrom('1', '2', '3')).map(([n, s]) => `${n}/${s}`);
const anyScope = fc.oneof(
  fc.constant<ShardScope>({ kind: 'all' }),
  fc.constant<ShardScope>({ kind: 'none' }),
  fc.subarray(['a', 'a-b', 'b', 'c'], { minLength: 1 }).map((list) => inNamespaces(...list)),
);
const edit = fc.oneof(
  fc.record({ do: fc.constant('set' as const), name: anyName, port: fc.integer({ min: 80, max: 82 }) }),
  fc.record({ do: fc.constant('delete' as const), name: anyName }),
  fc.record({ do: fc.constant('scope' as const), gateway: fc.constantFrom('g/1', 'g/2'), scope: anyScope }),
  fc.record({ do: fc.constant('drop' as const), gateway: fc.constantFrom('g/1', 'g/2') }),
);

function apply(step: ReturnType<typeof edit.generate>['value']): void {
  if (step.do === 'set') setTarget(step.name, step.port);
  else if (step.do === 'delete') targets.delete(step.name);
  else if (step.do === 'scope') gateways.set(step.gateway, step.scope);
  else gateways.delete(step.gateway);
}

describe('any history of commits', () => {
  it('gives a client that applies the deltas the same resources as a new client', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(edit, { maxLength: 4 }), { maxLength: 12 }),
        fc.integer({ min: 1, max: 3 }),
        (commits, lag) => {
          for (const [gateway] of [...gateways.entries()]) commit(() => gateways.delete(gateway));
          for (const [key] of [...targets.entries()]) commit(() => targets.delete(key));
          const held = new Map<string, EncodedResource>();
          let at = view('g/1');
          for (const [position, edits] of commits.entries()) {
            commit(() => edits.forEach(apply));
            if (position % lag === 0) at = follow(held, at);
          }
          follow(held, at);
          const fresh = [...view('g/1').resources()].map((resource) => [resource.name, resource.version]);
          expect([...held].map(([key, { version }]) => [key, version]).sort()).toEqual(fresh.sort());
        },
      ),
      { numRuns: 200 },
    );
  });

  function follow(held: Map<string, EncodedResource>, from: View): View {
    const to = view('g/1');
    const { changed, removed } = snapshots.diff(from, to);
    for (const resource of changed) held.set(resource.name, resource);
    for (const gone of removed) expect(held.delete(gone)).toBe(true);
    return to;
  }
});

describe('any history of changes of several commits', () => {
  it('shows what it shows as one of commits, and nothing before the last of each', () => {
    const shown = (of: SnapshotStore): unknown =>
      ['g/1', 'g/2'].map((gateway) => {
        const { exists, views } = of.of(gateway);
        return [exists, [...views.values()].map((one) => [...one.resources()].map(({ name }) => name))];
      });
    const part = fc.record({ edits: fc.array(edit, { maxLength: 4 }), more: fc.boolean() });
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        for (const [key] of [...targets.entries()]) commit(() => targets.delete(key));
        for (const [key] of [...gateways.entries()]) commit(() => gateways.delete(key));
        const [divided, whole] = [createStore(), createStore()];
        let notified = 0;
        divided.subscribe('g/1', () => {
          notified += 1;
        });
        for (const { edits, more } of [...parts, { edits: [], more: false }]) {
          const [before, already] = [shown(divided), notified];
          const committed = graph.commit(() => edits.forEach(apply));
          whole.apply(committed);
          divided.apply(committed, { more });
          expect(shown(divided)).toEqual(more ? before : shown(whole));
          expect(notified - already).toBeLessThanOrEqual(more ? 0 : 1);
        }
      }),
      { numRuns: 200 },
    );
  });
});
