import type { ControlPlane } from '../../gen/envoy/config/core/v3/base.ts';
import { AggregatedDiscoveryServiceService as ads } from '../../gen/envoy/service/discovery/v3/ads.ts';
import { DiscoveryResponse } from '../../gen/envoy/service/discovery/v3/discovery.ts';
import type { Delta, EncodedResource, View } from '../../snapshot/model.ts';
import { requestMetering } from '../request/request-cost.ts';
import { decodeRequest, stateOfTheWorldFields as fields, type RawRequest } from '../request/request-decoder.ts';
import {
  type AdsProtocol,
  type AdsRequest,
  catchMalformed,
  type ProtocolOptions,
  type ResponseChunk,
} from './protocol.ts';
import { concatBody, ResponseCache, sum } from './response-cache.ts';
import { replaceSubscription, type Subscription } from './subscription.ts';

/**
 * Creates the state-of-the-world variant: a response has all resources of the type that the node is subscribed to,
 * changed or not. It cannot be split, and expresses a removal by the absence of the resource.
 */
export function createStateOfTheWorld({
  controlPlane,
  limits,
  cache,
  assembled,
}: Omit<ProtocolOptions, 'maxBody'>): AdsProtocol {
  const responses = new ResponseCache(cache);
  const build = (delta: Delta, view: View, resources: Iterable<EncodedResource>): readonly ResponseChunk[] => {
    const body = bodyOf(view, resources, controlPlane);
    assembled(view.type, body.length);
    return [{ delta, body }];
  };
  return {
    variant: 'state-of-the-world',
    path: ads.streamAggregatedResources.path,
    metering: requestMetering(fields, limits),
    decode: catchMalformed((bytes) => {
      const raw = decodeRequest(bytes, fields, limits);
      return raw.kind === 'raw' ? requestOf(raw) : raw;
    }),
    // The names in a request with a stale nonce are older than a response the node had not read (rules B9, B11).
    acceptsSubscription: (kind, state) => (kind === 'spontaneous' ? state.kind === 'unsent' : kind !== 'stale'),
    ownBytes: (_delta, { view, subscription }) =>
      subscription.wildcard === 'none'
        ? sum(subscribedResources(view, subscription), ({ sotwField }) => sotwField.length)
        : 0,
    buildResponses: (delta, { view, subscription, responseRequired }) => {
      // Outside full-state types absence means nothing, so removals alone have no wire form (rule B18).
      const expressible = view.type.fullState || responseRequired || delta.changed.length > 0;
      if (!expressible) return [];
      if (subscription.wildcard !== 'none') return responses.get(view, () => build(delta, view, view.resources()));
      return build(delta, view, subscribedResources(view, subscription));
    },
  };
}

function requestOf(raw: RawRequest): AdsRequest {
  return {
    node: raw.node,
    typeUrl: raw.typeUrl,
    nonce: raw.nonce,
    errorDetail: raw.errorDetail,
    // `version_info` does not prove what the node holds, so a node that reconnects is sent everything (rule B27).
    initialVersions: undefined,
    changeSubscription: (before, { legacyWildcard }) => replaceSubscription(before, raw.subscribe, legacyWildcard),
  };
}

function* subscribedResources(view: View, { names }: Subscription): Iterable<EncodedResource> {
  for (const name of names) {
    const resource = view.get(name);
    if (resource !== undefined) yield resource;
  }
}

function bodyOf(view: View, resources: Iterable<EncodedResource>, controlPlane: ControlPlane): Buffer {
  const { typeUrl } = view.type;
  const rest = DiscoveryResponse.fromPartial({ versionInfo: view.version(), typeUrl, controlPlane });
  return concatBody([...Array.from(resources, ({ sotwField }) => sotwField), DiscoveryResponse.encode(rest).finish()]);
}
