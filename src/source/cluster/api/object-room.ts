import { isJsonObject, type JsonObject, objectIn, objectsOf, textIn } from '../../../json/json.ts';
import type { KindName } from '../../../resources/model.ts';
import { labelsOfPart, mcpAppProtocols } from '../../../resources/resources.ts';

/**
 * How often a byte of JSON counts: what is kept of an object in memory. Of a Service little is kept; of a policy its
 * rules, its status and what gateways are sent of it, four bytes for each of its JSON.
 */
export const memoryOf = (kind: KindName): number => (kind === 'Service' ? 1 : 4);

/** Bytes of memory of a target, an attachment of a policy, or a listener with its conditions: 1 to 3 KiB each. */
const memoryOfPart = 2_048;

/**
 * The bytes of JSON that an object counts with beside its own, for what it is made into: a Service of 7 KB may be a
 * hundred targets, and a policy of 500 bytes sixteen attachments. The first part is what its own bytes stand for.
 *
 * @param bytes of its JSON
 */
export function bytesBesideJson(kind: KindName, json: JsonObject, bytes: number): number {
  const parts = bytesOfParts(kind, partsIn(kind, json));
  return kind === 'MCPAuthPolicy' ? parts + bytesOfCopies(json, bytes) / memoryOf(kind) : parts;
}

/** Bytes of a wire rule, or of an expression, beside what users write in it. */
const bytesOfMatch = 60;

/**
 * The bytes that a policy is encoded to beyond twice its own, which its memory has: the name of a rule's resource is
 * repeated for each match, and everything once more for each Gateway.
 */
function bytesOfCopies(policy: JsonObject, bytes: number): number {
  const spec = objectIn(policy, 'spec');
  const repeated = objectsOf(spec['rules']).reduce((sum, rule) => {
    const name = textIn(objectIn(rule, 'resource'), 'name') ?? '';
    return sum + elementsIn(rule, 'matches').length * (name.length + bytesOfMatch);
  }, 0);
  const copies = 1 + elementsIn(spec, 'targetRefs').length;
  return Math.max(0, copies * (bytes + repeated) - 2 * bytes);
}

/** The same for a number of parts. */
export function bytesOfParts(kind: KindName, parts: number): number {
  return (memoryOfPart / memoryOf(kind)) * Math.max(0, parts - 1);
}

/** As `partsOf` of `resources/`, of an object that was not decoded yet: there may be no room for what decoding makes. */
function partsIn(kind: KindName, json: JsonObject): number {
  const spec = objectIn(json, 'spec');
  switch (kind) {
    case 'Service':
      return elementsIn(spec, 'ports').filter(isMcpPort).length;
    case 'MCPAuthPolicy':
      return elementsIn(spec, 'targetRefs').length;
    case 'Gateway':
      return elementsIn(spec, 'listeners').length;
    case 'Namespace':
      return Math.ceil(Object.keys(objectIn(objectIn(json, 'metadata'), 'labels')).length / labelsOfPart);
    default:
      return 1;
  }
}

function elementsIn(object: JsonObject, field: string): readonly unknown[] {
  const found = object[field];
  return Array.isArray(found) ? found : [];
}

function isMcpPort(port: unknown): boolean {
  return isJsonObject(port) && mcpAppProtocols.some((protocol) => protocol === port['appProtocol']);
}
