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
/** The shards of which a resource's version was read. */
let shardsRead: Set<string>;
/** Calls of the digest function. */
let digests: number;

/** A resource that records reads of its version. */
function recordingResource(shard: string, name: string, port: number): PlacedResource {
  const { version, ...rest } = encodeTarget(target(name, { port }));
  const resource = {
    ...rest,
    get version(): string {
      shardsRead.add(shard);
      return version;
    },
  };
  return { shard, resource };
}

beforeEach(() => {
  shardsRead = new Set();
  digests = 0;
  const graph = createGraph();
  const targets: Source<PlacedResource> = graph.source({ name: 'targets' });
  const gateways: Source<string> = graph.source({ name: 'gateways' });
  const shardOf = (name: string): string => name.slice(0, name.indexOf('/') + 1);
  snapshots = createSnapshots({
    gateways,
    digest: (parts) => {
      digests += 1;
      return versionOfAll(parts);
    },
    types: [{ type: targetType, resources: targets, shardOf, scopeOf: () => ({ kind: 'all' }) }],
  });
  const set = (namespace: number, index: number, port: number): void => {
    const name = `ns-${namespace}/tool-${index}`;
    targets.set(name, recordingResource(shardOf(name), name, port));
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

describe('a change of one shard', () => {
  it('is diffed without a read of other shards', () => {
    const before = view('default/gw-0');
    shardsRead.clear();
    put(7, 3, 81);
    const { changed } = snapshots.diff(before, view('default/gw-0'));
    expect(changed.map(({ name }) => name)).toEqual(['ns-7/tool-3']);
    expect([...shardsRead]).toEqual(['ns-7/']);
  });

  it('updates the version of the view from that shard and the cached versions of the others', () => {
    view('default/gw-0').version();
    shardsRead.clear();
    digests = 0;
    put(7, 3, 81);
    view('default/gw-0').version();
    expect([...shardsRead]).toEqual(['ns-7/']);
    expect(digests).toBe(2);
  });
});

it('a thousand Gateways with one scope share one view, before and after a change', () => {
  const views = (): number => new Set([...snapshots.gateways()].map(view)).size;
  expect(views()).toBe(1);
  put(7, 3, 81);
  expect(views()).toBe(1);
});
