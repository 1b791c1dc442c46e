import { parseBoundedJson } from '../../../json/bounded-json.ts';
import { findStrings } from '../../../json/find-strings.ts';
import { isJsonObject, type JsonObject, objectIn, textIn } from '../../../json/json.ts';
import { maxObjectBytes, objectBounds } from '../../../kube/object-limits.ts';
import type { KindName, Problem, Resource } from '../../../resources/model.ts';
import { decode, kinds, resourceKey } from '../../../resources/resources.ts';
import type { Observation, ObservedObject, StatusKind } from '../../model.ts';

/** An object of the API server with its identity read and its content not yet decoded. */
export interface ApiObject {
  readonly key: string;
  readonly uid: string;
  /** Opaque: compared for equality only. */
  readonly resourceVersion: string;
  /** Of its JSON, or of the event that it arrived in. */
  readonly bytes: number;
  readonly content: ObjectContent;
}

/**
 * The content of an object. `excessive`: it is beyond a limit, was not parsed, and cannot be read. `crowded-out`: there
 * was no room for it, and in the same version there may be later.
 */
type ObjectContent =
  | { readonly is: 'json'; readonly json: JsonObject }
  | { readonly is: 'excessive'; readonly message: string }
  | { readonly is: 'crowded-out'; readonly message: string; readonly json: JsonObject };

/** The same after decoding: of the JSON only the status is kept, and only of kinds whose status is written. */
export interface DecodedObject extends Omit<ApiObject, 'content'> {
  /** There was no room for the object: the same version is read again. */
  readonly isCrowdedOut: boolean;
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
 * The longest uid or resource version, in UTF-16 code units. They are kept for each object, and a resource version is
 * part of a URL.
 */
export const maxIdentity = 256;

/** The JSON text of an object, as it arrived. */
export interface ObjectText {
  readonly text: string;
  /** The size of the whole object in bytes. Beyond the limit of an object its text is only the beginning. */
  readonly bytes: number;
}

/**
 * Reads the identity of an object; undefined if it is no JSON, or if name, uid or resourceVersion is missing: the
 * sender cannot be trusted then. An object that is too large, or has too many values, has its identity only: it counts
 * as one that cannot be read, and its neighbours do not suffer.
 */
export function readObject(kind: KindName, { text, bytes }: ObjectText): ApiObject | undefined {
  if (bytes > maxObjectBytes) return excessiveObject(kind, text, `has more than ${maxObjectBytes} bytes`);
  const parsed = parseBoundedJson(text, objectBounds);
  switch (parsed.kind) {
    case 'json':
      return isJsonObject(parsed.value) ? identifyObject(kind, parsed.value, bytes) : undefined;
    case 'too-many-values':
      return excessiveObject(kind, text, `has more than ${objectBounds.maxValues} values`);
    case 'too-deep':
      return excessiveObject(kind, text, `is nested more than ${objectBounds.maxDepth} deep`);
    case 'not-json':
      return undefined;
  }
}

/** Reads the identity of a parsed object, as {@link readObject} does. */
export function identifyObject(kind: KindName, json: JsonObject, bytes: number): ApiObject | undefined {
  const metadata = objectIn(json, 'metadata');
  return identified(kind, (field) => textIn(metadata, field), bytes, { is: 'json', json });
}

/** Returns an object as one that has no room: all objects together take more than is read of an API server. */
export function crowdedOut(object: ApiObject): ApiObject {
  const { content } = object;
  if (content.is !== 'json') return object;
  const message =
    'The object is ignored: with it, the objects of its kind, and all together, have more bytes than are read of one ' +
    'API server. Delete others, or make them smaller; it is read again within minutes then.';
  return { ...object, bytes: 0, content: { is: 'crowded-out', message, json: content.json } };
}

/** Its bytes are not kept. @param inside the path of the object within the text */
export function excessiveObject(kind: KindName, text: string, what: string, inside = ''): ApiObject | undefined {
  const fields = ['name', 'namespace', 'uid', 'resourceVersion'];
  const found = findStrings(text, new Set(fields.map((field) => `${inside}metadata.${field}`)));
  const message = `The object ${what}, and is ignored: make it smaller.`;
  return identified(kind, (field) => found.get(`${inside}metadata.${field}`), 0, { is: 'excessive', message });
}

function identified(
  kind: KindName,
  field: (name: string) => string | undefined,
  bytes: number,
  content: ObjectContent,
): ApiObject | undefined {
  const [name, uid, resourceVersion] = [field('name'), field('uid'), field('resourceVersion')];
  const namespace = kinds[kind].namespaced ? field('namespace') : '';
  if (!name || namespace === undefined || !uid || !resourceVersion) return undefined;
  if ([name, namespace, uid, resourceVersion].some((text) => text.length > maxIdentity)) return undefined;
  return { key: resourceKey({ namespace, name }), uid, resourceVersion, bytes, content };
}

/** Decodes one object. Items of a list of a built-in kind have no apiVersion and kind: those of the list count. */
export function decodeObject(kind: KindName, { content, ...identity }: ApiObject): DecodedObject {
  const { key, uid, resourceVersion } = identity;
  if (content.is !== 'json') {
    const problems: readonly Problem[] = [{ severity: 'error', path: [], message: content.message }];
    // Its status is unknown, so that nothing may be written into it.
    const observation = observeDeletion(kind, key);
    const isCrowdedOut = content.is === 'crowded-out';
    const resource = isCrowdedOut && kind === 'MCPAuthPolicy' ? claimOf(content) : undefined;
    return { ...identity, isCrowdedOut, resource, problems, observation };
  }
  const { json } = content;
  const decoded = decode(kind, withKind(kind, json));
  const resource = decoded.readable ? decoded.resource : undefined;
  const problems = relevantProblems(resource, decoded.problems);
  const observation = observe(kind, key, { uid, resourceVersion }, json);
  return { ...identity, isCrowdedOut: false, resource, problems, observation };
}

/**
 * What is kept of a policy without room: if it says who may sign, that it does, and at which Gateways. Nothing of it is
 * valid, and without it another policy's signers would come into force.
 */
function claimOf({ json, message }: Extract<ObjectContent, { readonly is: 'crowded-out' }>): Resource | undefined {
  const decoded = decode('MCPAuthPolicy', withKind('MCPAuthPolicy', json));
  if (!decoded.readable || decoded.resource.jwt === undefined) return undefined;
  const invalid = { ok: false, reason: message } as const;
  return { ...decoded.resource, rules: invalid, jwt: invalid };
}

function withKind(kind: KindName, json: JsonObject): JsonObject {
  return 'kind' in json ? json : { ...json, apiVersion: kinds[kind].apiVersion, kind };
}

/** The observation of a deleted object; undefined for kinds without a status of ours. */
export function observeDeletion(kind: KindName, key: string): Observation | undefined {
  return hasStatus(kind) ? { kind, key, object: undefined } : undefined;
}

/**
 * Of a Service without an MCP port only a misspelt app protocol is reported: its other fields may be of a newer
 * Kubernetes.
 */
function relevantProblems(resource: Resource | undefined, problems: readonly Problem[]): readonly Problem[] {
  if (resource?.kind !== 'Service' || resource.mcpPorts.length > 0) return problems;
  return problems.filter(({ path }) => path.at(-1) === 'appProtocol');
}

function observe(
  kind: KindName,
  key: string,
  { uid, resourceVersion }: Pick<ApiObject, 'uid' | 'resourceVersion'>,
  json: JsonObject,
): Observation | undefined {
  if (!hasStatus(kind)) return undefined;
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
