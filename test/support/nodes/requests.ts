import { DeltaDiscoveryRequest, DiscoveryRequest } from '../../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { type Reported, ReportReader } from '../../../src/serve/request/initial-versions.ts';
import type { RequestLimits } from '../../../src/serve/request/request-cost.ts';
import { type RawRequest, readRequest } from '../../../src/serve/request/request-decoder.ts';
import { deltaFields } from '../../../src/serve/request/request-fields.ts';

/** A DeltaDiscoveryRequest as it goes over the wire. */
export function deltaRequest(fields: Parameters<typeof DeltaDiscoveryRequest.fromPartial>[0]): Buffer {
  return Buffer.from(DeltaDiscoveryRequest.encode(DeltaDiscoveryRequest.fromPartial(fields)).finish());
}

/** A DiscoveryRequest as it goes over the wire. */
export function stateOfTheWorldRequest(fields: Parameters<typeof DiscoveryRequest.fromPartial>[0]): Buffer {
  return Buffer.from(DiscoveryRequest.encode(DiscoveryRequest.fromPartial(fields)).finish());
}

/** A field whose wire type is "length-delimited". */
export function lengthDelimited(field: number, content: Uint8Array): Buffer {
  return Buffer.concat([varint(field * 8 + 2), varint(content.length), content]);
}

/** A request may say whatever it likes. */
export const noLimits: RequestLimits = {
  maxNames: Number.MAX_SAFE_INTEGER,
  maxReported: () => Number.MAX_SAFE_INTEGER,
};

/** What a DeltaDiscoveryRequest says, however much it is. Throws for bytes that are none. */
export function readDelta(bytes: Buffer): RawRequest {
  const request = readRequest(bytes, deltaFields, noLimits);
  if (request.kind === 'excessive') throw new Error(request.message);
  return request;
}

/** What the node reports in a DeltaDiscoveryRequest. */
export function reportedIn(bytes: Buffer): Reported | undefined {
  const { versions } = readDelta(bytes);
  return versions && new ReportReader().read(bytes, versions);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest & 127) | 128);
  return Buffer.from([...bytes, rest]);
}
