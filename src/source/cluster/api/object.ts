import { isJsonObject, type JsonObject, objectIn, textIn } from '../../../json/json.ts';
import type { KindName, Problem, Resource } from '../../../resources/model.ts';
import { decode, kinds, resourceKey } from '../../../resources/resources.ts';
import type { Observation, ObservedObject, StatusKind } from '../../model.ts';

/** More bytes than any object has as JSON: etcd holds 1.5 MiB of one by default, and JSON makes at most a few times that of it. */
export const LARGEST_OBJECT: number = 16 * 1024 * 1024;

/** An object as the API server sent it, of which is known which one it is. */
export interface KubeObject {
  readonly key: string;
  readonly uid: string;
  /** Opaque: equality is all that it is good for. */
  readonly resourceVersion: string;
  readonly json: JsonObject;
}

/** The same once it was read: of the JSON nothing is kept but the status, and that only where we write one. */
export interface DecodedObject extends Omit<KubeObject, 'json'> {
  /** Undefined: its frame cannot be read, and it is as absent. */
  readonly resource: Resource | undefined;
  readonly problems: readonly Problem[];
  readonly observation: Observation | undefined;
}

/** Undefined: it does not say which object it is, so that whatever sent it cannot be trusted. */
export function identifyObject(kind: KindName, value: unknown): KubeObject | undefined {
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

/** Reads one object. The items of a list of a built-in kind do not say what they are: the list does. */
export function decodeObject(kind: KindName, { key, uid, resourceVersion, json }: KubeObject): DecodedObject {
  const { apiVersion } = kinds[kind];
  const decoded = decode(kind, 'kind' in json ? json : { ...json, apiVersion, kind });
  const resource = decoded.readable ? decoded.resource : undefined;
  const problems = isOurs(resource) ? decoded.problems : [];
  const observation = observe(kind, key, { uid, resourceVersion, json });
  return { key, uid, resourceVersion, resource, problems, observation };
}

/** What is known of an object that is gone. */
export function observeGone(kind: KindName, key: string): Observation | undefined {
  return hasStatus(kind) ? { kind, key, object: undefined } : undefined;
}

/** A Service without an MCP port is none of our business: a field that a newer Kubernetes has is no problem of it. */
function isOurs(resource: Resource | undefined): boolean {
  return resource?.kind !== 'Service' || resource.mcpPorts.length > 0;
}

function observe(kind: KindName, key: string, from: Omit<KubeObject, 'key'>): Observation | undefined {
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
