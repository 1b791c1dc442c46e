import type { Root } from 'protobufjs';
import type { EncodedResource } from '../wire/model.ts';

/** Decodes an encoded resource into plain JSON data, with default values. */
export type DecodeResource = (resource: EncodedResource) => unknown;

/**
 * Creates a decoder for every message of a `FileDescriptorSet`, without generated code. Loads what that needs when it is
 * called: most processes are never asked, and it is a quarter of the time until they listen.
 */
export async function loadResourceDecoder(descriptorSet: Uint8Array): Promise<DecodeResource> {
  const { default: protobuf } = await import('protobufjs');
  // Adds `Root.fromDescriptor`.
  await import('protobufjs/ext/descriptor.js');
  return decoderOf(protobuf.Root.fromDescriptor(descriptorSet));
}

function decoderOf(root: Root): DecodeResource {
  const response = root.lookupType('envoy.service.discovery.v3.DiscoveryResponse');
  const options = { longs: String, enums: String, bytes: String, defaults: true };
  return ({ typeUrl, sotwField }) => {
    const { resources } = response.toObject(response.decode(sotwField));
    const type = root.lookupType(typeUrl.slice(typeUrl.lastIndexOf('/') + 1));
    return type.toObject(type.decode(resources[0].value), options);
  };
}
