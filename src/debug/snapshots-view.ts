import type { NodeStatus, TypeStatus } from '../serve/model.ts';
import type { EncodedResource, Snapshot, Snapshots, View } from '../snapshot/model.ts';
import type { InputDiagnostic } from '../source/model.ts';
import type { GatewayStatus, PolicyStatus, Translation } from '../translate/model.ts';
import { timeText } from './api/query.ts';
import type { DecodeResource } from './resource-decoder.ts';

/** The sources of `/snapshots/xds`. */
export interface SnapshotsParts {
  readonly snapshots: Snapshots;
  readonly translation: Translation;
  readonly synced: () => boolean;
  readonly nodes: (gateway?: string) => readonly NodeStatus[];
  readonly problems: () => readonly InputDiagnostic[];
  readonly decode: DecodeResource;
  /** Combines versions into one. */
  readonly digest: (parts: Iterable<string>) => string;
}

/** A node, with its times as RFC 3339, and whether it has ACKed the current version of every type of its Gateway. */
type NodeView = Omit<NodeStatus, 'connectedSince' | 'types'> & {
  readonly connectedSince: string;
  readonly types: readonly object[];
  readonly synced: boolean;
};

/** A Gateway: its snapshot, its status, and its nodes. */
interface GatewayView {
  readonly gateway: string;
  /** False: no such Gateway; a node connected under its name. */
  readonly exists: boolean;
  /** Combines the versions of the types. */
  readonly version: string;
  readonly types: readonly TypeView[];
  /** Absent when another controller owns the Gateway. */
  readonly status?: Pick<GatewayStatus, 'conditions' | 'listeners' | 'addresses'>;
  /** Absent when nobody asked for nodes. */
  readonly nodes?: readonly NodeView[];
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

/** The members of the view, which can be selected. */
export const snapshotFields: readonly (keyof SnapshotsView)[] = [
  'synced',
  'gateways',
  'gatewayClasses',
  'policies',
  'policyNotices',
  'services',
  'problems',
];

/** What a request of `/snapshots/xds` asks for. Default: everything. */
export interface SnapshotsSelection {
  /** `<namespace>/<name>`: only this Gateway and the policies of its namespace. */
  readonly gateway?: string | undefined;
  /** False leaves out the nodes of the Gateways, and Gateways that exist only because a node asks for them. */
  readonly nodes?: boolean;
  /** The members to compute; undefined: all. */
  readonly fields?: ReadonlySet<string> | undefined;
}

/** The most entries of one answer: such an answer has about 10 MB, and is written in 50 ms. */
export const mostEntries = 50_000;

/** Entries that a node counts for: its types, and what it refused. */
const entriesPerNode = 10;

/** Counts the resources, nodes, statuses and problems that a selection shows, without computing them. */
export function countEntries(parts: SnapshotsParts, { gateway, nodes = true, fields }: SnapshotsSelection): number {
  const { translation, snapshots } = parts;
  const counts: { readonly [K in keyof SnapshotsView]: () => number } = {
    synced: () => 0,
    gateways: () => {
      let total = nodes ? entriesPerNode * parts.nodes(gateway).length : 0;
      for (const name of gateway === undefined ? snapshots.gateways() : [gateway]) {
        total += 1;
        for (const view of snapshots.of(name).views.values()) total += view.size;
      }
      return total;
    },
    gatewayClasses: () => translation.gatewayClassStatuses.size,
    policies: () => translation.policyStatuses.size,
    policyNotices: () => translation.policyNotices.size,
    services: () => translation.serviceNotices.size,
    problems: () => parts.problems().length,
  };
  return chosenFields(fields).reduce((sum, name) => sum + counts[name](), 0);
}

function chosenFields(fields: SnapshotsSelection['fields']): readonly (keyof SnapshotsView)[] {
  return snapshotFields.filter((name) => fields === undefined || fields.has(name));
}

/** Computes the view; yields after each resource, so that the caller can divide the work. */
export function* snapshotsView(
  parts: SnapshotsParts,
  selection: SnapshotsSelection,
): Generator<undefined, Partial<SnapshotsView>> {
  const { translation } = parts;
  const [namespace] = selection.gateway?.split('/') ?? [];
  const chosen = chosenFields(selection.fields);
  const gateways = chosen.includes('gateways') ? yield* gatewayViews(parts, selection) : [];
  const members: { readonly [K in keyof SnapshotsView]: () => SnapshotsView[K] } = {
    synced: () => parts.synced(),
    gateways: () => gateways,
    gatewayClasses: () => valuesByKey(translation.gatewayClassStatuses),
    policies: () => {
      const policies = valuesByKey(translation.policyStatuses);
      return namespace === undefined ? policies : policies.filter((policy) => policy.namespace === namespace);
    },
    policyNotices: () => valuesByKey(translation.policyNotices),
    services: () => valuesByKey(translation.serviceNotices),
    problems: () => parts.problems(),
  };
  return Object.fromEntries(chosen.map((name) => [name, members[name]()]));
}

function* gatewayViews(
  parts: SnapshotsParts,
  { gateway, nodes: withNodes = true }: SnapshotsSelection,
): Generator<undefined, readonly GatewayView[]> {
  const { snapshots } = parts;
  const nodes = Map.groupBy(withNodes ? parts.nodes(gateway) : [], (node) => node.gateway);
  const names = gateway === undefined ? [...new Set([...snapshots.gateways(), ...nodes.keys()])].sort() : [gateway];
  // Gateways share resources.
  const decoded = new Map<EncodedResource, unknown>();
  const decode: DecodeResource = (resource) => {
    if (!decoded.has(resource)) decoded.set(resource, parts.decode(resource));
    return decoded.get(resource);
  };
  const views: GatewayView[] = [];
  for (const name of names) {
    views.push(
      yield* gatewayView({ ...parts, decode }, snapshots.of(name), withNodes ? (nodes.get(name) ?? []) : undefined),
    );
  }
  return views;
}

function* gatewayView(
  parts: SnapshotsParts,
  snapshot: Snapshot,
  nodes: readonly NodeStatus[] | undefined,
): Generator<undefined, GatewayView> {
  const status = parts.translation.gatewayStatuses.get(snapshot.gateway);
  const views = [...snapshot.views.values()];
  const types: TypeView[] = [];
  for (const view of views) types.push(yield* typeView(view, parts.decode));
  return {
    gateway: snapshot.gateway,
    exists: snapshot.exists,
    version: parts.digest(views.flatMap((view) => [view.type.typeUrl, view.version()])),
    types,
    ...(status && {
      status: { conditions: status.conditions, listeners: status.listeners, addresses: status.addresses },
    }),
    ...(nodes && { nodes: nodes.map((node) => nodeView(node, views)) }),
  };
}

function* typeView(view: View, decode: DecodeResource): Generator<undefined, TypeView> {
  const resources: TypeView['resources'][number][] = [];
  for (const resource of view.resources()) {
    resources.push({ name: resource.name, version: resource.version, resource: decode(resource) });
    yield undefined;
  }
  return { typeUrl: view.type.typeUrl, version: view.version(), resources };
}

function nodeView(node: NodeStatus, views: readonly View[]): NodeView {
  const { connectedSince, types } = node;
  return {
    ...node,
    connectedSince: timeText(connectedSince),
    types: types.map(nodeTypeView),
    synced: hasAcked(node, views),
  };
}

function nodeTypeView({ sent, acked, inFlightSince, rejection, remarks, ...type }: TypeStatus): object {
  return {
    ...type,
    ...(sent && { sent: withTimeText(sent) }),
    ...(acked && { acked: withTimeText(acked) }),
    ...(inFlightSince !== undefined && { inFlightSince: timeText(inFlightSince) }),
    ...(rejection && { rejection: withTimeText(rejection) }),
    ...(remarks && { remarks: withTimeText(remarks) }),
  };
}

function withTimeText({ at, ...event }: { readonly at: number }): object {
  return { ...event, at: timeText(at) };
}

/**
 * Returns whether the node subscribes to a type of snapshots, and has ACKed the current version of each one that it
 * subscribes to.
 */
function hasAcked(node: NodeStatus, views: readonly View[]): boolean {
  const current = new Map(views.map((view) => [view.type.typeUrl, view]));
  const types = node.types.filter(({ typeUrl }) => current.has(typeUrl));
  return types.length > 0 && types.every(({ typeUrl, acked }) => acked?.version === current.get(typeUrl)?.version());
}

function valuesByKey<V>(collection: { entries(): IterableIterator<[string, V]> }): V[] {
  return [...collection.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}
