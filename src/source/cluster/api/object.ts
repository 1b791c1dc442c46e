import { isJsonObject, type JsonObject, objectIn, textIn } from '../../../json/json.ts';
import type { KindName, Problem, Resource } from '../../../resources/model.ts';
import { decode, kinds, resourceKey } from '../../../resources/resources.ts';
import type { Observation, ObservedObject, StatusKind } from '../../model.ts';

/**
 * The largest object that is accepted, in bytes of JSON. etcd stores 1.5 MiB by default; JSON may be a few times that.
 */
export const maxObjectBytes: number = 16 * 1024 * 1024;

/** An object of the API server with its identity read and its content not yet decoded. */
export interface ApiObject {
  readonly key: string;
  readonly uid: string;
  /** Opaque: compared for equality only. */
  readonly resourceVersion: string;
  readonly json: JsonObject;
}

/** The same after decoding: of the JSON only the status is kept, and only of kinds whose status is written. */
export interface DecodedObject extends Omit<ApiObject, 'json'> {
  /** Undefined: the frame is unreadable, which counts as absent. */
  readonly resource: Resource | undefined;
  readonly problems: readonly Problem[];
  readonly observation: Observation | undefined;
}

/**
 * Kinds that no CRD defines. A stored object of the others may read differently after a change of its CRD, without a
 * new resource version: a field that was pruned or defaulted before may not be any more.
 */
const builtIn: ReadonlySet<KindName> = new Set(['Service', 'Namespace']);

/** Returns whether a CRD defines the kind. */
export function isCustomResource(kind: KindName): boolean {
  return !builtIn.has(kind);
}

/**
 * Reads the identity of an object; undefined if name, uid or resourceVersion is missing: the sender cannot be trusted.
 */
export function identifyObject(kind: KindName, value: unknown): ApiObject | undefined {
  if (!isJsonObject(value)) return undefined;
  const metadata = objectIn(value, 'metadata');
  const name = textIn(metadata, 'name');
  const namespace = kinds[kind].namespaced ? textIn(metadata, 'namespace') : '';
  const uid = textIn(metadata, 'uid');
  const resourceVersion = textIn(metadata, 'resourceVersion');
  if (name === undefined || namespace === undefined || uid === undefined || resourceVersion === undefined) {
    return undefined;
  }
  return { key: resourceKey({ namespace, name }), uid, resourceVersion, json: value };
}

/** Decodes one object. Items of a list of a built-in kind have no apiVersion and kind: those of the list count. */
export function decodeObject(kind: KindName, { key, uid, resourceVersion, json }: ApiObject): DecodedObject {
  const { apiVersion } = kinds[kind];
  const decoded = decode(kind, 'kind' in json ? json : { ...json, apiVersion, kind });
  const resource = decoded.readable ? decoded.resource : undefined;
  const problems = isRelevant(resource) ? decoded.problems : [];
  const observation = observe(kind, key, { uid, resourceVersion, json });
  return { key, uid, resourceVersion, resource, problems, observation };
}

/** The observation of a deleted object; undefined for kinds without a status of ours. */
export function observeDeletion(kind: KindName, key: string): Observation | undefined {
  return hasStatus(kind) ? { kind, key, object: undefined } : undefined;
}

/** A Service without an MCP port is not reported on: it may have fields of a newer Kubernetes. */
function isRelevant(resource: Resource | undefined): boolean {
  return resource?.kind !== 'Service' || resource.mcpPorts.length > 0;
}

function observe(kind: KindName, key: string, from: Omit<ApiObject, 'key'>): Observation | undefined {
  if (!hasStatus(kind)) return undefined;
  const { uid, resourceVersion, json } = from;
  const generation = objectIn(json, 'metadata')['generation'];
  const object: ObservedObject = {
    uid,
    resourceVersion,
    generation: typeof generation === 'number' ? generation : undefined,
    status: json['status'],
  };
  return { kind, key, object };
}

function hasStatus(kind: KindName): kind is StatusKind {
  return kind === 'GatewayClass' || kind === 'Gateway' || kind === 'MCPAuthPolicy';
}
