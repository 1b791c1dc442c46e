import { parseBoundedJson } from '../../../json/bounded-json.ts';
import { findStrings } from '../../../json/find-strings.ts';
import { isJsonObject, type JsonObject, objectIn, textIn } from '../../../json/json.ts';
import { maxObjectBytes, objectBounds } from '../../../kube/object-limits.ts';
import type { KindName, Problem, Resource } from '../../../resources/model.ts';
import { decode, kinds, resourceKey } from '../../../resources/resources.ts';
import type { Observation, ObservedObject, StatusKind } from '../../model.ts';
import { bytesBesideJson } from './object-room.ts';
import { bytesOfClaim, claimInText, claimOf } from './policy-claim.ts';

/** An object of the API server with its identity read and its content not yet decoded. */
export interface ApiObject {
  readonly key: string;
  readonly uid: string;
  /** Opaque: compared for equality only. */
  readonly resourceVersion: string;
  /** `metadata.creationTimestamp`, which the API server sets; empty without one. */
  readonly created: string;
  /** Of its JSON, or of the event that it arrived in, and for what it is made into: see {@link bytesBesideJson}. */
  readonly bytes: number;
  readonly content: ObjectContent;
}

/** The content of an object. `excessive`: it is beyond a limit, was not parsed, and cannot be read. */
type ObjectContent =
  | { readonly is: 'json'; readonly json: JsonObject }
  | { readonly is: 'excessive'; readonly message: string; readonly claim: Resource | undefined };

/** The same after decoding: of the JSON only the status is kept, and only of kinds whose status is written. */
export interface DecodedObject extends Omit<ApiObject, 'content'> {
  /** The bytes that are kept of it: fewer than its own where there was no room. */
  readonly kept: number;
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
const maxIdentity = 256;

/** Returns whether a watch can go on from a version: "0" is any version, so that deletions would be missing. */
export function isExactVersion(resourceVersion: string): boolean {
  return resourceVersion.length <= maxIdentity && resourceVersion !== '0';
}

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
  const counted = bytes + bytesBesideJson(kind, json, bytes);
  return identified(kind, (field) => textIn(metadata, field), counted, { is: 'json', json });
}

/** Reads the identity of an object without parsing it. @param inside the path of the object within the text */
export function excessiveObject(kind: KindName, text: string, what: string, inside = ''): ApiObject | undefined {
  const found = findStrings(text, new Set(identity.map((field) => `${inside}metadata.${field}`)));
  const message = `The object ${what}, and is ignored: make it smaller.`;
  const field = (name: string): string | undefined => found.get(`${inside}metadata.${name}`);
  const object = identified(kind, field, 0, { is: 'excessive', message, claim: undefined });
  if (object === undefined || kind !== 'MCPAuthPolicy') return object;
  const claim = claimInText(text, inside, field, message);
  return { ...object, bytes: bytesOfClaim(claim), content: { is: 'excessive', message, claim } };
}

const identity: readonly string[] = ['name', 'namespace', 'uid', 'resourceVersion', 'creationTimestamp'];

function identified(
  kind: KindName,
  field: (name: string) => string | undefined,
  bytes: number,
  content: ObjectContent,
): ApiObject | undefined {
  const [name, uid, resourceVersion] = [field('name'), field('uid'), field('resourceVersion')];
  const namespace = kinds[kind].namespaced ? field('namespace') : '';
  if (!name || namespace === undefined || !uid || !resourceVersion || !isExactVersion(resourceVersion))
    return undefined;
  if ([name, namespace, uid].some((text) => text.length > maxIdentity)) return undefined;
  const created = (field('creationTimestamp') ?? '').slice(0, maxTimestamp);
  return { key: resourceKey({ namespace, name }), uid, resourceVersion, created, bytes, content };
}

/** Characters of a time that are kept; RFC 3339 without fractions has 20 to 25. */
const maxTimestamp = 32;

/** Decodes one object. Items of a list of a built-in kind have no apiVersion and kind: those of the list count. */
export function decodeObject(kind: KindName, { content, ...listed }: ApiObject): DecodedObject {
  const { key, uid, resourceVersion, bytes: kept } = listed;
  if (content.is !== 'json') return unreadable(kind, listed, content.message, content.claim);
  const { json } = content;
  const decoded = decode(kind, withKind(kind, json));
  const resource = decoded.readable ? decoded.resource : undefined;
  const problems = relevantProblems(resource, decoded.problems);
  const observation = observe(kind, key, { uid, resourceVersion }, json);
  return { ...listed, kept, isCrowdedOut: false, resource, problems, observation };
}

/** Decodes of an object only what {@link crowdedOut} keeps of it. */
export function decodeClaim(kind: KindName, { content }: ApiObject): Resource | undefined {
  if (content.is !== 'json') return content.claim;
  if (kind !== 'MCPAuthPolicy') return undefined;
  // Without the rules, which are almost all of a large policy; every other field tells whether there is a claim.
  const spec = { ...objectIn(content.json, 'spec'), rules: [] };
  const decoded = decode(kind, withKind(kind, { ...content.json, spec }));
  return decoded.readable ? decoded.resource : undefined;
}

/**
 * Returns an object as one that has no room: all objects together take more than is kept of one API server.
 *
 * @param resource what was decoded of it; undefined when that is not known
 */
export function crowdedOut(
  kind: KindName,
  { key, uid, resourceVersion, created, bytes }: Omit<ApiObject, 'content'>,
  resource: Resource | undefined,
): DecodedObject {
  const claim = claimOf(resource, noRoom);
  const kept = Math.min(bytesOfClaim(claim), bytes);
  const object = unreadable(kind, { key, uid, resourceVersion, created, bytes }, noRoom, claim);
  return { ...object, kept, isCrowdedOut: true };
}

const noRoom =
  'The object is ignored: with it, the objects of its kind, and all together, have more bytes than are kept of one ' +
  'API server; the namespace that holds most gives way, its largest objects first. Make it smaller, or delete others ' +
  'of its namespace; it is read again within minutes then.';

/** Its status is unknown, so that nothing may be written into it. */
function unreadable(
  kind: KindName,
  object: Omit<ApiObject, 'content'>,
  message: string,
  resource: Resource | undefined,
): DecodedObject {
  const problems: readonly Problem[] = [{ severity: 'error', path: [], message }];
  const observation = observeDeletion(kind, object.key);
  return { ...object, kept: object.bytes, isCrowdedOut: false, resource, problems, observation };
}

function withKind(kind: KindName, json: JsonObject): JsonObject {
  return 'kind' in json ? json : { ...json, apiVersion: kinds[kind].apiVersion, kind };
}

/** The observation of a deleted object; undefined for kinds without a status of ours. */
export function observeDeletion(kind: KindName, key: string): Observation | undefined {
  return hasStatus(kind) ? { kind, key, object: undefined } : undefined;
}

/**
 * Of a Service without an MCP port only a misspelt app protocol is reported, and that a port with one is no TCP port:
 * its other fields may be of a newer Kubernetes.
 */
function relevantProblems(resource: Resource | undefined, problems: readonly Problem[]): readonly Problem[] {
  if (resource?.kind !== 'Service' || resource.mcpPorts.length > 0) return problems;
  return problems.filter(({ path }) => path.at(-1) === 'appProtocol' || path.at(-1) === 'protocol');
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
