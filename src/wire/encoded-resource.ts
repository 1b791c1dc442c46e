import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { Resource } from '../gen/envoy/service/discovery/v3/discovery.ts';
import { Any } from '../gen/google/protobuf/any.ts';
import { versionOf } from './digest.ts';
import type { EncodedResource } from './model.ts';

const emptyResource = Resource.fromPartial({});

/** `resources` of both responses, and `Resource.resource`: number 2, length-delimited. So is `Any.value`. */
const tag = (2 << 3) | 2;

/**
 * Encodes a resource for both protocol variants, once for all nodes. The two encodings share one buffer:
 * `DiscoveryResponse.resources` and `Resource.resource` are both field 2 with an `Any` in it, so the state-of-the-world
 * field is the end of the delta field. The message is the end of both, and is copied once, since it may have a megabyte.
 */
export function encodeResource(typeUrl: string, name: string, message: Uint8Array): EncodedResource {
  const version = versionOf(message);
  const any = encode((writer) => {
    Any.encode({ typeUrl, value: noBytes }, writer).uint32(tag).uint32(message.length);
  });
  const sotw = encode((writer) => {
    writer
      .uint32(tag)
      .uint32(any.length + message.length)
      .raw(any);
  });
  const resource = encode((writer) => Resource.encode({ ...emptyResource, name, version }, writer));
  const delta = encode((writer) => {
    writer
      .uint32(tag)
      .uint32(resource.length + sotw.length + message.length)
      .raw(resource)
      .raw(sotw);
  });
  const deltaField = Buffer.allocUnsafeSlow(delta.length + message.length);
  deltaField.set(delta);
  deltaField.set(message, delta.length);
  return { typeUrl, name, version, deltaField, sotwField: deltaField.subarray(delta.length - sotw.length) };
}

const noBytes = Buffer.alloc(0);

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
