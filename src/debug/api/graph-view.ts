import type { Explainer } from '../../explain/model.ts';
import type { Collection } from '../../graph/model.ts';
import type { KindName, Listener, Parsed, ResourceByKind } from '../../resources/model.ts';
import type { Snapshot } from '../../snapshot/model.ts';
import type { Condition, Target, Translation } from '../../translate/model.ts';
import type { Dialect } from '../../wire/model.ts';
import { countsOf, type NodeCounts, type NodesParts, ratedNodes } from './nodes-view.ts';
import { gatewayIn, type Paged, paged, pageOf, searchIn, wordIn } from './query.ts';

/** The sources of `/debug/graph`. */
export interface GraphParts extends NodesParts {
  readonly resources: { readonly [K in KindName]: Collection<ResourceByKind[K]> };
  readonly translation: Translation;
  readonly explainer: Pick<Explainer, 'gatewayReasons'>;
}

/** `served`, or why not: not accepted, of another controller, or no object of that name. */
type GatewayHealth = 'served' | 'rejected' | 'foreign' | 'missing';

/** A Gateway in a list. */
interface GatewayRow {
  readonly gateway: string;
  readonly state: GatewayHealth;
  /** What is wrong, in words; null when nothing is. */
  readonly message: string | null;
  readonly listeners: number;
  readonly targets: number;
  readonly policies: number;
  readonly nodes: NodeCounts;
}

/**
 * The JSON of `/debug/graph`: all Gateways, or one with everything around it. Yields after each object that is looked at,
 * so that the caller can divide the work.
 */
export function* graphView(parts: GraphParts, query: URLSearchParams): Generator<undefined, object> {
  const gateway = gatewayIn(query);
  return yield* gateway === undefined ? gatewayList(parts, query) : gatewayDetail(parts, gateway, query);
}

/** Policies of one Gateway that are listed. */
const mostPolicies = 200;

function* gatewayList(parts: GraphParts, query: URLSearchParams): Generator<undefined, object> {
  const search = searchIn(query);
  const only = wordIn(query, 'only', ['problems']);
  const page = pageOf(query, 50);
  const nodes = Map.groupBy(ratedNodes(parts), ({ node }) => node.gateway);
  const isFailing = (name: string): boolean =>
    healthOf(parts.translation, name).message !== null ||
    (nodes.get(name) ?? []).some(({ state }) => state === 'refusing');
  const matching: string[] = [];
  for (const name of new Set([...parts.snapshots.gateways(), ...nodes.keys()])) {
    yield undefined;
    if (name.toLowerCase().includes(search) && (only === undefined || isFailing(name))) matching.push(name);
  }
  const rowOf = (name: string): GatewayRow => gatewayRow(parts, name, countsOf(nodes.get(name) ?? []));
  return { version: 1, ...paged(matching.sort(), page, rowOf) };
}

function gatewayRow(
  { snapshots, dialects, resources, translation }: GraphParts,
  key: string,
  nodes: NodeCounts,
): GatewayRow {
  const { views } = snapshots.of(key);
  const counted = countedTypes(dialects);
  return {
    gateway: key,
    ...healthOf(translation, key),
    listeners: resources.Gateway.get(key)?.listeners.length ?? 0,
    targets: (counted && views.get(counted.targets.typeUrl)?.size) ?? 0,
    policies: (counted && views.get(counted.policies.typeUrl)?.size) ?? 0,
    nodes,
  };
}

/** The types whose Views have one resource for each target, and for each policy. */
function countedTypes(dialects: GraphParts['dialects']): Dialect['counted'] {
  return dialects.find(({ counted }) => counted !== undefined)?.counted;
}

function healthOf(translation: Translation, key: string): Pick<GatewayRow, 'state' | 'message'> {
  const state = translation.gateways.get(key);
  if (state === undefined) return { state: 'missing', message: 'There is no such Gateway.' };
  if (state.kind === 'foreign') return { state: 'foreign', message: null };
  const conditions = translation.gatewayStatuses.get(key)?.conditions ?? [];
  return { state: state.kind, message: conditions.find(isRefusal)?.message ?? null };
}

function isRefusal({ type, status }: Condition): boolean {
  return type === 'Accepted' && status !== 'True';
}

function* gatewayDetail(parts: GraphParts, key: string, query: URLSearchParams): Generator<undefined, object> {
  const rated = ratedNodes(parts, key);
  const snapshot = parts.snapshots.of(key);
  const row = gatewayRow(parts, key, countsOf(rated));
  const isForeign = row.state === 'foreign';
  // Not in a list: it compares the names of all classes.
  const message = isForeign ? (parts.explainer.gatewayReasons(key)[0]?.message ?? null) : row.message;
  return {
    version: 1,
    ...row,
    message,
    listeners: listenersOf(parts, key),
    targets: yield* targetsOf(parts, snapshot, query),
    policies: yield* isForeign ? policiesWithoutEffect(parts, key) : policiesOf(parts, key),
  };
}

function listenersOf({ resources, translation }: GraphParts, key: string): readonly object[] {
  const statuses = new Map(translation.gatewayStatuses.get(key)?.listeners.map((status) => [status.name, status]));
  return (resources.Gateway.get(key)?.listeners ?? []).map((listener) => {
    if (!listener.ok) return { name: null, accepted: false, message: listener.reason };
    const { name, port, protocol, namespaces } = listener.value;
    const conditions = (name.ok ? statuses.get(name.value)?.conditions : undefined) ?? [];
    return {
      name: validValue(name),
      port: validValue(port),
      protocol: validValue(protocol),
      allows: allowedText(namespaces),
      accepted: conditions.some(({ type, status }) => type === 'Accepted' && status === 'True'),
      message: conditions.find(isRefusal)?.message ?? null,
    };
  });
}

function validValue<T>(parsed: Parsed<T>): T | null {
  return parsed.ok ? parsed.value : null;
}

/** The namespaces that a listener allows, in words. */
function allowedText(namespaces: Listener['namespaces']): string {
  if (!namespaces.ok) return 'not understood';
  const { value } = namespaces;
  if (value.from === 'All') return 'all namespaces';
  if (value.from === 'Same') return 'its own namespace';
  const clauses = value.selector?.requirements.map((requirement) =>
    'values' in requirement
      ? `${requirement.key} ${requirement.operator === 'In' ? 'is' : 'is not'} ${requirement.values.join(' or ')}`
      : `${requirement.key} ${requirement.operator === 'Exists' ? 'exists' : 'does not exist'}`,
  );
  if (clauses === undefined) return 'no namespace: its selector is not understood';
  return clauses.length === 0 ? 'all namespaces, by an empty selector' : `namespaces whose ${clauses.join(' and ')}`;
}

function* targetsOf(
  { dialects, translation }: GraphParts,
  { views }: Snapshot,
  query: URLSearchParams,
): Generator<undefined, Paged<object>> {
  const page = pageOf(query, 50);
  const search = searchIn(query);
  const counted = countedTypes(dialects);
  const view = counted && views.get(counted.targets.typeUrl);
  const items: object[] = [];
  let total = 0;
  for (const { name } of view?.resources() ?? []) {
    yield undefined;
    if (search !== '' && !name.toLowerCase().includes(search)) continue;
    total += 1;
    if (total > page.offset && items.length < page.limit) items.push(targetRow(name, translation.targets.get(name)));
  }
  return { total, ...page, items };
}

function targetRow(name: string, target: Target | undefined): object {
  const { host, port, path } = target ?? {};
  return { name, service: name.split('/', 2).join('/'), host: host ?? null, port: port ?? null, path: path ?? null };
}

/** The policies that are attached to a Gateway, and those that name it and are not. */
function* policiesOf({ translation, resources }: GraphParts, key: string): Generator<undefined, Paged<object>> {
  const [namespace, name] = key.split('/', 2);
  const attached = new Set(translation.attachedPolicies(key));
  const isServed = translation.gateways.get(key)?.kind === 'served';
  const rows: { readonly policy: string; readonly accepted: boolean; readonly message: string | undefined }[] = [];
  for (const [policy, status] of translation.policyStatuses.entries()) {
    yield undefined;
    if (status.namespace !== namespace) continue;
    const ancestors = status.ancestors.filter(({ ancestorRef }) => ancestorRef.name === name);
    if (ancestors.length === 0 && !attached.has(policy)) continue;
    const conditions = ancestors.flatMap((ancestor) => ancestor.conditions);
    const partly = conditions.find(({ type, status }) => type === 'kgateway.dev/PartiallyInvalid' && status === 'True');
    // One without rules, which only says who may sign tokens, counts as well.
    const accepted = isServed && conditions.some(({ type, status }) => type === 'Accepted' && status === 'True');
    rows.push({ policy, accepted, message: (conditions.find(isRefusal) ?? partly)?.message });
  }
  rows.sort((a, b) => (a.policy < b.policy ? -1 : 1));
  return paged(rows, { offset: 0, limit: mostPolicies }, ({ policy, accepted, message }) => {
    const rules = resources.MCPAuthPolicy.get(policy)?.rules;
    const count = rules?.ok === true ? rules.value.length : 0;
    return { policy, attached: accepted || attached.has(policy), rules: count, message: message ?? null };
  });
}

/** The policies that name a Gateway of another controller: no status tells of it. */
function* policiesWithoutEffect({ resources }: GraphParts, key: string): Generator<undefined, Paged<object>> {
  const [namespace, name] = key.split('/', 2);
  const message = 'The Gateway is not of this controller, so that this policy has no effect on it.';
  const rows: { readonly policy: string; readonly rules: number }[] = [];
  for (const [policy, { metadata, targetRefs, rules }] of resources.MCPAuthPolicy.entries()) {
    yield undefined;
    const isNamed = targetRefs.some((ref) => ref.ok && ref.value.name === name);
    if (metadata.namespace === namespace && isNamed) rows.push({ policy, rules: rules.ok ? rules.value.length : 0 });
  }
  rows.sort((a, b) => (a.policy < b.policy ? -1 : 1));
  return paged(rows, { offset: 0, limit: mostPolicies }, ({ policy, rules }) => {
    return { policy, attached: false, rules, message };
  });
}
