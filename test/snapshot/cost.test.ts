import { beforeEach, describe, expect, it } from 'vitest';
import { createGraph } from '../../src/graph/graph.ts';
import type { Source } from '../../src/graph/model.ts';
import type { PlacedResource, View } from '../../src/snapshot/model.ts';
import { createSnapshots, type SnapshotStore } from '../../src/snapshot/snapshot.ts';
import { mcpKgateway, versionOfAll } from '../../src/wire/wire.ts';
import { target } from '../support/worlds/wire-values.ts';

const { targetType, encodeTarget } = mcpKgateway;
const namespaces = 50;
const targetsOfNamespace = 40;

let snapshots: SnapshotStore;
let put: (namespace: number, index: number, port: number) => void;
/** The shards of which somebody read a version, and how often something was hashed. */
let looked: Set<string>;
let hashes: number;

/** A resource that tells when it is looked at. */
function watched(shard: string, name: string, port: number): PlacedResource {
  const { version, ...rest } = encodeTarget(target(name, { port }));
  const resource = {
    ...rest,
    get version(): string {
      looked.add(shard);
      return version;
    },
  };
  return { shard, resource };
}

beforeEach(() => {
  looked = new Set();
  hashes = 0;
  const graph = createGraph();
  const targets: Source<PlacedResource> = graph.source({ name: 'targets' });
  const gateways: Source<string> = graph.source({ name: 'gateways' });
  const shardOf = (name: string): string => name.slice(0, name.indexOf('/') + 1);
  snapshots = createSnapshots({
    gateways,
    digest: (parts) => {
      hashes += 1;
      return versionOfAll(parts);
    },
    types: [{ type: targetType, resources: targets, shardOf, scopeOf: () => ({ kind: 'all' }) }],
  });
  const set = (namespace: number, index: number, port: number): void => {
    const name = `ns-${namespace}/tool-${index}`;
    targets.set(name, watched(shardOf(name), name, port));
  };
  put = (...change) => snapshots.apply(graph.commit(() => set(...change)));
  const initial = graph.commit(() => {
    for (let at = 0; at < 1000; at += 1) gateways.set(`default/gw-${at}`, 'here');
    for (let namespace = 0; namespace < namespaces; namespace += 1) {
      for (let index = 0; index < targetsOfNamespace; index += 1) set(namespace, index, 80);
    }
  });
  snapshots.apply(initial);
});

const view = (gateway: string): View => {
  const found = snapshots.of(gateway).views.get(targetType.typeUrl);
  if (found === undefined) throw new Error('no view');
  return found;
};

describe('a change in one shard', () => {
  it('is found without a look at the others', () => {
    const before = view('default/gw-0');
    looked.clear();
    put(7, 3, 81);
    const { changed } = snapshots.diff(before, view('default/gw-0'));
    expect(changed.map(({ name }) => name)).toEqual(['ns-7/tool-3']);
    expect([...looked]).toEqual(['ns-7/']);
  });

  it('makes a new version out of that shard and the versions of the others', () => {
    view('default/gw-0').version();
    looked.clear();
    hashes = 0;
    put(7, 3, 81);
    view('default/gw-0').version();
    expect([...looked]).toEqual(['ns-7/']);
    expect(hashes).toBe(2);
  });
});

it('a thousand Gateways that see the same share one View, before a change and after it', () => {
  const views = (): number => new Set([...snapshots.gateways()].map(view)).size;
  expect(views()).toBe(1);
  put(7, 3, 81);
  expect(views()).toBe(1);
});
