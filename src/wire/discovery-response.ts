import { DiscoveryResponse } from '../gen/envoy/service/discovery/v3/discovery.ts';
import { encode } from './encoded-resource.ts';
import type { EncodedResource } from './model.ts';

/** The bytes of a whole DiscoveryResponse with these resources, as the first one of a stream has them but for its nonce. */
export function discoveryResponse(typeUrl: string, version: string, resources: Iterable<EncodedResource>): Buffer {
  const head = encode((writer) =>
    DiscoveryResponse.encode(DiscoveryResponse.fromPartial({ versionInfo: version, typeUrl }), writer),
  );
  return Buffer.concat([head, ...Array.from(resources, ({ sotwField }) => sotwField)]);
}
