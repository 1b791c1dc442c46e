import type { Clock } from '../../edges.ts';
import type { Explainer, Grant } from '../../explain/model.ts';
import { quoted } from '../../json/quoted.ts';
import { inTurns, type Pause } from '../../rate/turns.ts';
import type { KindName } from '../../resources/model.ts';
import type { Condition, Target } from '../../translate/model.ts';
import type { EncodedResource } from '../../wire/model.ts';
import type { ManifestOf, PlacesOf } from '../model.ts';
import type { DecodeResource } from '../resource-decoder.ts';
import { RequestError } from '../routes.ts';
import type { GraphParts } from './graph-view.ts';
import { wordIn } from './query.ts';

/** The sources of `/debug/object`. */
export interface ObjectParts extends GraphParts {
  readonly explainer: Explainer;
  readonly manifestOf: ManifestOf;
  readonly placesOf: PlacesOf;
  readonly decode: DecodeResource;
  readonly clock: Clock;
}

const kinds: readonly KindName[] = [
  'GatewayClass',
  'GatewayParameters',
  'Gateway',
  'Service',
  'Namespace',
  'MCPAuthPolicy',
];

/** Rules that are listed of one object; all are counted. */
const mostGrants = 200;

/** Gateways that an object names. */
const mostGateways = 50;

/**
 * The JSON of `/debug/object`: one object as it is written, what its conditions say, its form on the wire in each
 * dialect, and who may call what because of it.
 */
export async function objectView(parts: ObjectParts, query: URLSearchParams, pause: Pause): Promise<object> {
  const kind = wordIn(query, 'kind', kinds);
  const key = query.get('key') ?? '';
  if (kind === undefined || !/^[^/]{1,253}(?:\/[^/]{1,253})?$/.test(key)) {
    throw new RequestError(400, 'name an object: ?kind=Gateway&key=default/mcp-gateway.');
  }
  if (parts.resources[kind].get(key) === undefined) {
    throw new RequestError(404, `there is no ${kind} ${quoted(key)}.`);
  }
  const [place] = await parts.placesOf([{ kind, key, path: [] }]);
  const grants = await grantsOf(parts, kind, key, pause);
  return {
    version: 1,
    kind,
    key,
    place: place ?? null,
    manifest: (await parts.manifestOf(kind, key)) ?? null,
    conditions: conditionsOf(parts, kind, key),
    wire: wireOf(parts, kind, key).map((resource) => wireForm(parts, resource)),
    gateways: grants.gateways,
    grants: { total: grants.total, items: grants.items },
  };
}

type Told = Pick<Condition, 'type' | 'status' | 'reason' | 'message'> & { readonly of: string | null };

function conditionsOf(parts: ObjectParts, kind: KindName, key: string): readonly Told[] {
  const { translation } = parts;
  if (kind === 'GatewayClass') return told(null, translation.gatewayClassStatuses.get(key)?.conditions);
  if (kind === 'Gateway') {
    const status = translation.gatewayStatuses.get(key);
    const listeners = status?.listeners.flatMap(({ name, conditions }) => told(`listener ${name}`, conditions));
    return [...told(null, status?.conditions), ...(listeners ?? [])];
  }
  if (kind === 'MCPAuthPolicy') {
    const ancestors = translation.policyStatuses.get(key)?.ancestors ?? [];
    const unwritable = translation.policyNotices.get(key)?.unwritable ?? [];
    return [
      ...ancestors.flatMap(({ ancestorRef, conditions }) => told(`Gateway ${ancestorRef.name}`, conditions)),
      ...unwritable.map((message) => notice('InvalidTargetRef', message)),
      ...foreignNotices(parts, key),
    ];
  }
  if (kind !== 'Service') return [];
  const { dropped = [], warnings = [] } = translation.serviceNotices.get(key) ?? {};
  return [
    ...dropped.map((message) => notice('Dropped', message)),
    ...warnings.map((message) => notice('Remark', message)),
  ];
}

/** The Gateways of other controllers that a policy names: no status of ours tells of them. */
function foreignNotices({ resources, translation }: ObjectParts, key: string): readonly Told[] {
  const { metadata, targetRefs = [] } = resources.MCPAuthPolicy.get(key) ?? {};
  const named = targetRefs.flatMap((ref) => (ref.ok ? [`${metadata?.namespace}/${ref.value.name}`] : []));
  const foreign = [...new Set(named)].filter((gateway) => translation.gateways.get(gateway)?.kind === 'foreign');
  return foreign
    .slice(0, mostGateways)
    .map((gateway) =>
      notice(
        'ForeignGateway',
        `Gateway ${gateway} is not of this controller, so that this policy has no effect on it.`,
      ),
    );
}

function told(of: string | null, conditions: readonly Condition[] = []): readonly Told[] {
  return conditions.map(({ type, status, reason, message }) => ({ of, type, status, reason, message }));
}

function notice(reason: string, message: string): Told {
  return { of: null, type: 'Accepted', status: reason === 'Remark' ? 'True' : 'False', reason, message };
}

/** The resources that an object becomes: encoded again, since that takes less than finding them. */
function wireOf(parts: ObjectParts, kind: KindName, key: string): readonly WireResource[] {
  const { dialects, translation } = parts;
  if (kind === 'MCPAuthPolicy') {
    const config = translation.configs.get(key);
    if (config === undefined) return [];
    const gateways = translation.attachedGateways(key).slice(0, mostGateways);
    return dialects.flatMap(({ name, encodePolicy }) =>
      encodePolicy(config, gateways).map((resource) => ({ dialect: name, resource })),
    );
  }
  if (kind !== 'Service') return [];
  const targets = targetsOfService(parts, key);
  return dialects.flatMap((dialect) =>
    targets.map((target) => ({ dialect: dialect.name, resource: dialect.encodeTarget(target) })),
  );
}

interface WireResource {
  readonly dialect: string;
  readonly resource: EncodedResource;
}

function wireForm({ decode }: ObjectParts, { dialect, resource }: WireResource): object {
  const { typeUrl, name, version } = resource;
  return { dialect, typeUrl, name, version, resource: decode(resource) };
}

/** The targets of a Service: one with its name for the first MCP port, one with the number for each further one. */
function targetsOfService({ resources, translation }: ObjectParts, key: string): readonly Target[] {
  const ports = resources.Service.get(key)?.mcpPorts ?? [];
  const names = ports.flatMap((port, position) => {
    if (position === 0) return [key];
    return port.ok ? [`${key}/${port.value.port}`] : [];
  });
  return names.flatMap((name) => translation.targets.get(name) ?? []);
}

/** The rules that an object is about, and the Gateways on which they count. */
interface ObjectGrants {
  readonly gateways: readonly string[];
  readonly total: number;
  /** The first ones. */
  readonly items: readonly (Grant & { readonly gateway: string })[];
}

/** Looks at the rules in turns: pushes go on meanwhile. */
async function grantsOf(parts: ObjectParts, kind: KindName, key: string, pause: Pause): Promise<ObjectGrants> {
  const { explainer } = parts;
  const gateways = gatewaysOf(parts, kind, key).slice(0, mostGateways);
  const items: (Grant & { readonly gateway: string })[] = [];
  let total = 0;
  for (const gateway of gateways) {
    const all = await inTurns(explainer.grantsInSteps(gateway, {}), parts.clock, pause);
    const found = all.filter((grant) => concerns(grant, kind, key));
    items.push(...found.slice(0, mostGrants - items.length).map((grant) => ({ gateway, ...grant })));
    total += found.length;
  }
  return { gateways, total, items };
}

function gatewaysOf(parts: ObjectParts, kind: KindName, key: string): readonly string[] {
  const { translation, explainer } = parts;
  if (kind === 'Gateway') return [key];
  if (kind === 'Service') {
    if (targetsOfService(parts, key).length === 0) return [];
    return explainer.gateways().filter((gateway) => {
      const state = translation.gateways.get(gateway);
      const [namespace = ''] = key.split('/', 1);
      if (state?.kind !== 'served') return false;
      return (
        state.scope.kind === 'all' || (state.scope.kind === 'namespaces' && state.scope.namespaces.includes(namespace))
      );
    });
  }
  return kind === 'MCPAuthPolicy' ? translation.attachedGateways(key) : [];
}

function concerns({ name, policy }: Grant, kind: KindName, key: string): boolean {
  if (kind === 'MCPAuthPolicy') return policy === key;
  if (kind === 'Service') return name === '*' || name.startsWith(`${key}:`) || name.startsWith(`${key}/`);
  return true;
}
