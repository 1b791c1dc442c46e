import { isJsonObject, type JsonObject, objectIn } from '../../../json/json.ts';
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
 */
export function bytesBesideJson(kind: KindName, json: JsonObject): number {
  return bytesOfParts(kind, partsIn(kind, json));
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

function elementsIn(spec: JsonObject, field: string): readonly unknown[] {
  const found = spec[field];
  return Array.isArray(found) ? found : [];
}

function isMcpPort(port: unknown): boolean {
  return isJsonObject(port) && mcpAppProtocols.some((protocol) => protocol === port['appProtocol']);
}
