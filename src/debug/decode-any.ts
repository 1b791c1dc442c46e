import protobuf from 'protobufjs';
import 'protobufjs/ext/descriptor.js';
import type { EncodedResource } from '../wire/model.ts';

/** Shows an encoded resource as plain data. */
export type DecodeResource = (resource: EncodedResource) => unknown;

/** Decodes any message that the descriptor set knows, a second dialect's too, without generated code. */
export function resourceDecoder(descriptorSet: Uint8Array): DecodeResource {
  const root = protobuf.Root.fromDescriptor(descriptorSet);
  const envelope = root.lookupType('envoy.service.discovery.v3.DiscoveryResponse');
  const asPlainData = { longs: String, enums: String, bytes: String, defaults: true };
  return ({ typeUrl, sotwField }) => {
    const { resources } = envelope.toObject(envelope.decode(sotwField));
    const type = root.lookupType(typeUrl.slice(typeUrl.lastIndexOf('/') + 1));
    return type.toObject(type.decode(resources[0].value), asPlainData);
  };
}
