import protobuf from 'protobufjs';
import 'protobufjs/ext/descriptor.js';
import type { EncodedResource } from '../wire/model.ts';

/** Decodes an encoded resource into plain JSON data, with default values. */
export type DecodeResource = (resource: EncodedResource) => unknown;

/**
 * Creates a decoder for every message of a `FileDescriptorSet`, without generated code. Reads the set at the first use:
 * most processes are never asked, and reading it is a sixth of the time until they listen.
 */
export function resourceDecoder(descriptorSet: Uint8Array): DecodeResource {
  let decode: DecodeResource | undefined;
  return (resource) => {
    decode ??= decoderOf(protobuf.Root.fromDescriptor(descriptorSet));
    return decode(resource);
  };
}

function decoderOf(root: protobuf.Root): DecodeResource {
  const response = root.lookupType('envoy.service.discovery.v3.DiscoveryResponse');
  const options = { longs: String, enums: String, bytes: String, defaults: true };
  return ({ typeUrl, sotwField }) => {
    const { resources } = response.toObject(response.decode(sotwField));
    const type = root.lookupType(typeUrl.slice(typeUrl.lastIndexOf('/') + 1));
    return type.toObject(type.decode(resources[0].value), options);
  };
}
