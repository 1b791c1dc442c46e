import { DeltaDiscoveryResponse, DiscoveryResponse } from '../gen/envoy/service/discovery/v3/discovery.ts';
import { versionOf } from './digest.ts';
import type { EncodedResource } from './model.ts';

/** Wraps an encoded message for both protocol variants. The bytes are made here, once, for every node that will ever get them. */
export function encodedResource(typeUrl: string, name: string, message: Uint8Array): EncodedResource {
  const version = versionOf(message);
  const any = { typeUrl, value: Buffer.from(message) };
  // A response with nothing but one resource is exactly that resource's field, ready to be concatenated.
  const delta = DeltaDiscoveryResponse.encode(
    DeltaDiscoveryResponse.fromPartial({ resources: [{ name, version, resource: any }] }),
  ).finish();
  const state = DiscoveryResponse.encode(DiscoveryResponse.fromPartial({ resources: [any] })).finish();
  return { typeUrl, name, version, deltaField: bufferOver(delta), stateField: bufferOver(state) };
}

/** The two encode the same message? Equal versions mean equal bytes. */
export function sameEncoding(a: EncodedResource, b: EncodedResource): boolean {
  return a.version === b.version && a.name === b.name && a.typeUrl === b.typeUrl;
}

function bufferOver(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
