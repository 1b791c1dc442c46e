import { DeltaDiscoveryResponse, DiscoveryResponse, Resource } from '../gen/envoy/service/discovery/v3/discovery.ts';
import { versionOf } from './digest.ts';
import { encoded } from './encoded.ts';
import type { EncodedResource } from './model.ts';

const noResource = Resource.fromPartial({});
const noState = DiscoveryResponse.fromPartial({});
const noDelta = DeltaDiscoveryResponse.fromPartial({});

/** The tag of the field `resources` in a DeltaDiscoveryResponse: number 2, length-delimited. */
const resourcesTag = (2 << 3) | 2;

/**
 * Wraps an encoded message for both protocol variants. The bytes are made here, once, for every node that will ever get
 * them, and lie in memory once: `DiscoveryResponse.resources` and `Resource.resource` are both field 2 with an `Any` in
 * it, so the one variant's field is the end of the other's.
 */
export function encodedResource(typeUrl: string, name: string, message: Uint8Array): EncodedResource {
  const version = versionOf(message);
  const any = { typeUrl, value: Buffer.from(message.buffer, message.byteOffset, message.byteLength) };
  // A response with nothing but one resource is exactly that resource's field, ready to be concatenated.
  const state = encoded((writer) => DiscoveryResponse.encode({ ...noState, resources: [any] }, writer));
  const delta = encoded((writer) => {
    DeltaDiscoveryResponse.encode(noDelta, writer).uint32(resourcesTag).fork();
    Resource.encode({ ...noResource, name, version }, writer)
      .raw(state)
      .join();
  });
  const deltaField = Buffer.from(delta.buffer, delta.byteOffset, delta.byteLength);
  return { typeUrl, name, version, deltaField, stateField: deltaField.subarray(delta.length - state.length) };
}

/** The two encode the same message? Equal versions mean equal bytes. */
export function sameEncoding(a: EncodedResource, b: EncodedResource): boolean {
  return a.version === b.version && a.name === b.name && a.typeUrl === b.typeUrl;
}
