import type { NodeStatus, TypeStatus } from '../../serve/model.ts';
import type { Snapshot, Snapshots } from '../../snapshot/model.ts';
import type { Dialect } from '../../wire/model.ts';
import { gatewayIn, type Page, pageOf, searchIn, timeText, wordIn } from './query.ts';

/** The sources of `/debug/nodes`. */
export interface NodesParts {
  readonly snapshots: Snapshots;
  readonly dialects: readonly Dialect[];
  /** The streams that have identified their Gateway; those of one Gateway only, when one is given. */
  readonly nodes: (gateway?: string) => readonly NodeStatus[];
  readonly now: () => number;
}

/** `in-sync`: the current version is acknowledged. `refusing`: the last answer is a NACK. Else `behind`. */
export type SyncState = 'in-sync' | 'behind' | 'refusing';

const syncStates: readonly SyncState[] = ['in-sync', 'behind', 'refusing'];

/** The number of nodes in each state. */
export interface NodeCounts {
  readonly inSync: number;
  readonly behind: number;
  readonly refusing: number;
}

/** Names of a subscription that are listed; all are counted. */
const mostNames = 20;

/** The JSON of `/debug/nodes`. */
export function nodesView(parts: NodesParts, query: URLSearchParams): object {
  const state = wordIn(query, 'state', syncStates);
  const search = searchIn(query);
  const rated = ratedNodes(parts, gatewayIn(query));
  const matching = rated.filter(
    (one) => (state === undefined || one.state === state) && (search === '' || textOf(one.node).includes(search)),
  );
  const page: Page = pageOf(query, 1_000);
  return {
    version: 1,
    time: timeText(parts.now()),
    total: matching.length,
    ...page,
    states: countsOf(rated),
    nodes: matching
      .toSorted(compareNodes)
      .slice(page.offset, page.offset + page.limit)
      .map((one) => row(parts, one)),
  };
}

interface RatedNode {
  readonly node: NodeStatus;
  readonly snapshot: Snapshot;
  readonly state: SyncState;
}

/** The nodes with their states. */
export function ratedNodes(
  { snapshots, nodes }: Pick<NodesParts, 'snapshots' | 'nodes'>,
  gateway?: string,
): readonly RatedNode[] {
  // Thousands of nodes may share a Gateway.
  const known = new Map<string, Snapshot>();
  const snapshotOf = (key: string): Snapshot => {
    const snapshot = known.get(key) ?? snapshots.of(key);
    known.set(key, snapshot);
    return snapshot;
  };
  return nodes(gateway).map((node) => {
    const snapshot = snapshotOf(node.gateway);
    return { node, snapshot, state: nodeState(node, snapshot) };
  });
}

/** Counts nodes by their state. */
export function countsOf(rated: readonly { readonly state: SyncState }[]): NodeCounts {
  const counts = { inSync: 0, behind: 0, refusing: 0 };
  for (const { state } of rated) counts[state === 'in-sync' ? 'inSync' : state] += 1;
  return counts;
}

/** A node with a type that is not known is not behind because of it: nothing of that type exists. */
function nodeState({ types }: NodeStatus, snapshot: Snapshot): SyncState {
  const states = types.filter(({ known }) => known).map((type) => typeState(type, snapshot));
  if (states.includes('refusing')) return 'refusing';
  return states.length === 0 || states.includes('behind') ? 'behind' : 'in-sync';
}

function typeState(type: TypeStatus, snapshot: Snapshot): SyncState {
  if (type.rejection !== undefined) return 'refusing';
  if (!type.known) return 'in-sync';
  return type.acked !== undefined && type.acked.version === currentVersion(type, snapshot) ? 'in-sync' : 'behind';
}

/** The version that the node should have. */
function currentVersion({ typeUrl, ownVersion }: TypeStatus, { views }: Snapshot): string | undefined {
  return ownVersion ?? views.get(typeUrl)?.version();
}

function textOf({ id, gateway, peer }: NodeStatus): string {
  return `${id}\n${gateway}\n${peer}`.toLowerCase();
}

function compareNodes({ node: a }: RatedNode, { node: b }: RatedNode): number {
  return compare(a.gateway, b.gateway) || compare(a.id, b.id) || a.connectedSince - b.connectedSince;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function row(parts: NodesParts, { node, snapshot, state }: RatedNode): object {
  const { id, gateway, gatewayExists, variety, peer, identifiedBy, connectedSince, types } = node;
  return {
    id,
    gateway,
    gatewayExists,
    dialect: dialectOf(parts.dialects, types),
    variant: variety,
    peer,
    identifiedBy,
    connectedSince: timeText(connectedSince),
    state,
    types: types.map((type) => typeRow(type, snapshot, parts.now())),
  };
}

/** The dialect of the first type that belongs to one. */
function dialectOf(dialects: readonly Dialect[], types: readonly TypeStatus[]): string | null {
  const requested = new Set(types.map(({ typeUrl }) => typeUrl));
  return dialects.find(({ types }) => types.some(({ typeUrl }) => requested.has(typeUrl)))?.name ?? null;
}

function typeRow(type: TypeStatus, snapshot: Snapshot, now: number): object {
  const { typeUrl, known, subscription, sent, acked, rejection, remarks, counts } = type;
  const { wildcard, names } = subscription;
  return {
    typeUrl,
    known,
    state: typeState(type, snapshot),
    subscription: { wildcard, total: names.length, names: names.slice(0, mostNames) },
    current: currentVersion(type, snapshot) ?? null,
    sent: sent === undefined ? null : { version: sent.version, at: timeText(sent.at) },
    acked: acked === undefined ? null : { version: acked.version, at: timeText(acked.at) },
    lagSeconds: lagSeconds(type, snapshot, now),
    rejection:
      rejection === undefined
        ? null
        : { message: rejection.message, at: timeText(rejection.at), diagnostics: rejection.diagnostics },
    warnings: remarks?.diagnostics ?? [],
    counts,
  };
}

/** Seconds since the response that is not acknowledged was sent or refused; null when nothing was sent. */
function lagSeconds(type: TypeStatus, snapshot: Snapshot, now: number): number | null {
  if (typeState(type, snapshot) === 'in-sync') return 0;
  const since = type.inFlightSince ?? type.rejection?.at ?? type.sent?.at;
  return since === undefined ? null : Math.max(0, now - since) / 1_000;
}
