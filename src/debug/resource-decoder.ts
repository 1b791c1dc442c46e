import { createFileRegistry, fromBinary, toJson } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { asJsonObject, type JsonObject, objectsOf } from '../json/json.ts';
import type { EncodedResource } from '../wire/model.ts';

/** Decodes an encoded resource into its proto3 JSON form, with default values. */
export type DecodeResource = (resource: EncodedResource) => JsonObject;

/** Creates a decoder for every message of a `FileDescriptorSet`, without generated code, so that new dialects need no change. */
export function resourceDecoder(descriptorSet: Uint8Array): DecodeResource {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptorSet));
  const response = registry.getMessage('envoy.service.discovery.v3.DiscoveryResponse');
  if (response === undefined) throw new TypeError('the descriptor set has no DiscoveryResponse');
  return ({ sotwField }) => {
    const json = toJson(response, fromBinary(response, sotwField), { alwaysEmitImplicit: true, registry });
    const [resource = {}] = objectsOf(asJsonObject(json)['resources']);
    const { '@type': _typeUrl, ...fields } = resource;
    return fields;
  };
}
