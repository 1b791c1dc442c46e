import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { DeltaDiscoveryResponse, DiscoveryResponse, Resource } from '../gen/envoy/service/discovery/v3/discovery.ts';
import { versionOf } from './digest.ts';
import type { EncodedResource } from './model.ts';

const emptyResource = Resource.fromPartial({});
const emptySotw = DiscoveryResponse.fromPartial({});
const emptyDelta = DeltaDiscoveryResponse.fromPartial({});

/** The tag of the field `resources` in a DeltaDiscoveryResponse: number 2, length-delimited. */
const resourcesTag = (2 << 3) | 2;

/**
 * Encodes a resource for both protocol variants, once for all nodes. The two encodings share one buffer:
 * `DiscoveryResponse.resources` and `Resource.resource` are both field 2 with an `Any` in it, so the state-of-the-world
 * field is the end of the delta field.
 */
export function encodeResource(typeUrl: string, name: string, message: Uint8Array): EncodedResource {
  const version = versionOf(message);
  const any = { typeUrl, value: Buffer.from(message.buffer, message.byteOffset, message.byteLength) };
  // The encoding of a response with one resource and nothing else is the field of that resource.
  const sotw = encode((writer) => DiscoveryResponse.encode({ ...emptySotw, resources: [any] }, writer));
  const delta = encode((writer) => {
    DeltaDiscoveryResponse.encode(emptyDelta, writer).uint32(resourcesTag).fork();
    Resource.encode({ ...emptyResource, name, version }, writer)
      .raw(sotw)
      .join();
  });
  const deltaField = Buffer.from(delta.buffer, delta.byteOffset, delta.byteLength);
  return { typeUrl, name, version, deltaField, sotwField: deltaField.subarray(delta.length - sotw.length) };
}

/** Compares two encodings. Equal versions mean equal messages. */
export function sameEncoding(a: EncodedResource, b: EncodedResource): boolean {
  return a.version === b.version && a.name === b.name && a.typeUrl === b.typeUrl;
}

/**
 * A writer to reuse: creating one per message would be most of the cost of encoding a small message. Undefined while in
 * use.
 */
let spareWriter: BinaryWriter | undefined;

/** Returns the bytes that `write` writes, in an array of their length. Throws what `write` throws. */
export function encode(write: (writer: BinaryWriter) => void): Uint8Array<ArrayBuffer> {
  const writer = spareWriter ?? new BinaryWriter();
  // A nested call, and the next call after one that threw, create a writer of their own.
  spareWriter = undefined;
  write(writer);
  const bytes = writer.finish();
  spareWriter = writer;
  return bytes;
}
