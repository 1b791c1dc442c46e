import type { NodeStatus } from '../serve/model.ts';
import type { Snapshot, Snapshots, View } from '../snapshot/model.ts';
import type { InputDiagnostic } from '../source/model.ts';
import type { GatewayStatus, PolicyStatus, Translation } from '../translate/model.ts';
import type { DecodeResource } from './resource-decoder.ts';

/** The sources of `/snapshots/xds`. */
export interface SnapshotsParts {
  readonly snapshots: Snapshots;
  readonly translation: Translation;
  readonly synced: () => boolean;
  readonly nodes: () => readonly NodeStatus[];
  readonly problems: () => readonly InputDiagnostic[];
  readonly decode: DecodeResource;
  /** Combines versions into one. */
  readonly digest: (parts: Iterable<string>) => string;
}

/** A node, and whether it has ACKed the current version of every type of its Gateway. */
export type NodeView = NodeStatus & { readonly synced: boolean };

/** A Gateway: its snapshot, its status, and its nodes. */
export interface GatewayView {
  readonly gateway: string;
  /** False: no such Gateway; a node connected under its name. */
  readonly exists: boolean;
  /** Combines the versions of the types. */
  readonly version: string;
  readonly types: readonly TypeView[];
  /** Absent when another controller owns the Gateway. */
  readonly status?: Pick<GatewayStatus, 'conditions' | 'listeners' | 'addresses'>;
  readonly nodes: readonly NodeView[];
}

interface TypeView {
  readonly typeUrl: string;
  readonly version: string;
  readonly resources: readonly { readonly name: string; readonly version: string; readonly resource: unknown }[];
}

/** The JSON of `/snapshots/xds`. */
export interface SnapshotsView {
  readonly synced: boolean;
  readonly gateways: readonly GatewayView[];
  readonly gatewayClasses: readonly unknown[];
  readonly policies: readonly PolicyStatus[];
  /** Target references of policies that no status can name. */
  readonly policyNotices: readonly unknown[];
  /** Services that are dropped wholly or in part, with reasons, and warnings about others. */
  readonly services: readonly unknown[];
  /** Problems in the input, with their places. */
  readonly problems: readonly InputDiagnostic[];
}

/** @param gateway `<namespace>/<name>`: show only this Gateway and the policies of its namespace */
export function snapshotsView(parts: SnapshotsParts, gateway?: string): SnapshotsView {
  const { snapshots, translation } = parts;
  const nodes = Map.groupBy(parts.nodes(), (node) => node.gateway);
  const names = gateway === undefined ? [...new Set([...snapshots.gateways(), ...nodes.keys()])].sort() : [gateway];
  const [namespace] = gateway?.split('/') ?? [];
  const policies = valuesByKey(translation.policyStatuses);
  return {
    synced: parts.synced(),
    gateways: names.map((name) => gatewayView(parts, snapshots.of(name), nodes.get(name) ?? [])),
    gatewayClasses: valuesByKey(translation.gatewayClassStatuses),
    policies: namespace === undefined ? policies : policies.filter((policy) => policy.namespace === namespace),
    policyNotices: valuesByKey(translation.policyNotices),
    services: valuesByKey(translation.serviceNotices),
    problems: parts.problems(),
  };
}

function gatewayView(parts: SnapshotsParts, snapshot: Snapshot, nodes: readonly NodeStatus[]): GatewayView {
  const status = parts.translation.gatewayStatuses.get(snapshot.gateway);
  const views = [...snapshot.views.values()];
  return {
    gateway: snapshot.gateway,
    exists: snapshot.exists,
    version: parts.digest(views.flatMap((view) => [view.type.typeUrl, view.version()])),
    types: views.map((view) => typeView(view, parts.decode)),
    ...(status && {
      status: { conditions: status.conditions, listeners: status.listeners, addresses: status.addresses },
    }),
    nodes: nodes.map((node) => ({ ...node, synced: hasAcked(node, views) })),
  };
}

function typeView(view: View, decode: DecodeResource): TypeView {
  const resources = [...view.resources()].map((resource) => ({
    name: resource.name,
    version: resource.version,
    resource: decode(resource),
  }));
  return { typeUrl: view.type.typeUrl, version: view.version(), resources };
}

/**
 * Returns whether the node subscribes to every type of a dialect and has ACKed its current version. A node that has
 * requested no type yet has not.
 */
function hasAcked(node: NodeStatus, views: readonly View[]): boolean {
  const acked = new Map(node.types.map(({ typeUrl, acked }) => [typeUrl, acked?.version]));
  const spoken = new Set(views.filter(({ type }) => acked.has(type.typeUrl)).map(({ type }) => type.dialect));
  const expected = views.filter(({ type }) => spoken.has(type.dialect));
  return expected.length > 0 && expected.every((view) => acked.get(view.type.typeUrl) === view.version());
}

function valuesByKey<V>(collection: { entries(): IterableIterator<[string, V]> }): V[] {
  return [...collection.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}
