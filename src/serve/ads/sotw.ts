import type { ControlPlane } from '../../gen/envoy/config/core/v3/base.ts';
import { AggregatedDiscoveryServiceService as ads } from '../../gen/envoy/service/discovery/v3/ads.ts';
import { DiscoveryResponse } from '../../gen/envoy/service/discovery/v3/discovery.ts';
import type { EncodedResource, View } from '../../snapshot/model.ts';
import { type RawRequest, readRequest } from '../request/request-decoder.ts';
import { stateOfTheWorldFields as fields } from '../request/request-fields.ts';
import { weighing } from '../request/request-gauge.ts';
import { decoder } from './decoder.ts';
import type { BodyOptions } from './delta.ts';
import type { AdsRequest, Part, Variant } from './protocol.ts';
import { BodyCache, bodyOfPieces } from './response-cache.ts';
import { replaceSubscription, type Subscription } from './subscription.ts';

/**
 * State of the world: a response carries everything that the node wants of the type, changed or not. Such a response
 * cannot be split, and it can say that something is gone only by leaving it out.
 */
export function createStateOfTheWorld({
  controlPlane,
  limits,
  cache,
  assembled,
}: Omit<BodyOptions, 'maxBody'>): Variant {
  const bodies = new BodyCache(cache);
  const make = (update: Part['says'], view: View, resources: Iterable<EncodedResource>): readonly Part[] => {
    const body = bodyOf(view, resources, controlPlane);
    assembled(view.type.typeUrl, body.length);
    return [{ says: update, body }];
  };
  return {
    variety: 'state-of-the-world',
    path: ads.streamAggregatedResources.path,
    weighing: weighing(fields, limits),
    decode: decoder((bytes) => {
      const raw = readRequest(bytes, fields, limits);
      return raw.kind === 'raw' ? requestOf(raw) : raw;
    }),
    // A list of names answers the response that its nonce names: an older one was written without knowing it (B9, B11).
    heeds: (reply, flow) => (reply === 'spontaneous' ? flow.kind === 'silent' : reply !== 'stale'),
    compose: (update, { view, subscription, awaited }) => {
      // Where absence means nothing, a removal cannot be said (rule B18).
      const sayable = view.type.fullState || awaited || update.changed.length > 0;
      if (!sayable) return [];
      if (subscription.wildcard !== 'none') return bodies.get(view, () => make(update, view, view.resources()));
      return make(update, view, named(view, subscription));
    },
  };
}

function requestOf(raw: RawRequest): AdsRequest {
  return {
    node: raw.node,
    typeUrl: raw.typeUrl,
    nonce: raw.nonce,
    refusal: raw.refusal,
    // A version from an earlier stream proves nothing about what the node holds: everything is sent again (rule B27).
    reported: undefined,
    subscribe: (before, { legacyWildcard }) => replaceSubscription(before, raw.wanted, legacyWildcard),
  };
}

function* named(view: View, { names }: Subscription): Iterable<EncodedResource> {
  for (const name of names) {
    const resource = view.get(name);
    if (resource !== undefined) yield resource;
  }
}

function bodyOf(view: View, resources: Iterable<EncodedResource>, controlPlane: ControlPlane): Buffer {
  const { typeUrl } = view.type;
  const rest = DiscoveryResponse.fromPartial({ versionInfo: view.version(), typeUrl, controlPlane });
  return bodyOfPieces([
    ...Array.from(resources, ({ sotwField }) => sotwField),
    DiscoveryResponse.encode(rest).finish(),
  ]);
}
