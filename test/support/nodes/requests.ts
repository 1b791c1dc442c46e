import { DeltaDiscoveryRequest, DiscoveryRequest } from '../../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { type InitialVersions, InitialVersionsReader } from '../../../src/serve/request/initial-versions.ts';
import type { RequestLimits } from '../../../src/serve/request/request-cost.ts';
import { decodeRequest, deltaFields, type RawRequest } from '../../../src/serve/request/request-decoder.ts';

/** Encodes a DeltaDiscoveryRequest. */
export function deltaRequest(fields: Parameters<typeof DeltaDiscoveryRequest.fromPartial>[0]): Buffer {
  return Buffer.from(DeltaDiscoveryRequest.encode(DeltaDiscoveryRequest.fromPartial(fields)).finish());
}

/** Encodes a DiscoveryRequest. */
export function stateOfTheWorldRequest(fields: Parameters<typeof DiscoveryRequest.fromPartial>[0]): Buffer {
  return Buffer.from(DiscoveryRequest.encode(DiscoveryRequest.fromPartial(fields)).finish());
}

/** Encodes a length-delimited field. */
export function lengthDelimited(field: number, content: Uint8Array): Buffer {
  return Buffer.concat([varint(field * 8 + 2), varint(content.length), content]);
}

/** Limits that no request exceeds. */
export const noLimits: RequestLimits = {
  maxNames: Number.MAX_SAFE_INTEGER,
  maxInitialVersions: () => Number.MAX_SAFE_INTEGER,
};

/** Decodes a DeltaDiscoveryRequest without limits. Throws for malformed bytes. */
export function decodeDelta(bytes: Buffer): RawRequest {
  const request = decodeRequest(bytes, deltaFields, noLimits);
  if (request.kind === 'limit-exceeded') throw new Error(request.message);
  return request;
}

/** Returns the initial versions of an encoded DeltaDiscoveryRequest. */
export function initialVersionsIn(bytes: Buffer): InitialVersions | undefined {
  const { initialVersions } = decodeDelta(bytes);
  return initialVersions && new InitialVersionsReader().read(bytes, initialVersions);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest & 127) | 128);
  return Buffer.from([...bytes, rest]);
}
