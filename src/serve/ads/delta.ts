import type { ControlPlane } from '../../gen/envoy/config/core/v3/base.ts';
import { AggregatedDiscoveryServiceService as ads } from '../../gen/envoy/service/discovery/v3/ads.ts';
import { DeltaDiscoveryResponse } from '../../gen/envoy/service/discovery/v3/discovery.ts';
import type { Delta, EncodedResource, ResourceType, UpdateOrder } from '../../snapshot/model.ts';
import { type InitialVersions, InitialVersionsReader } from '../request/initial-versions.ts';
import { requestMetering } from '../request/request-cost.ts';
import { decodeRequest, deltaFields as fields, type RawRequest } from '../request/request-decoder.ts';
import {
  type AdsProtocol,
  type AdsRequest,
  catchMalformed,
  type ProtocolOptions,
  type ResponseChunk,
} from './protocol.ts';
import { concatBody, ResponseCache, sum } from './response-cache.ts';
import { updateSubscription } from './subscription.ts';

/** Creates the incremental variant: a response has the changed resources and the names of the removed ones. */
export function createDelta({ controlPlane, maxBody, limits, cache, assembled }: ProtocolOptions): AdsProtocol {
  const responses = new ResponseCache(cache);
  const initialVersions = new InitialVersionsReader();
  const build = (delta: Delta, type: ResourceType): readonly ResponseChunk[] =>
    split(delta, maxBody, type.updateOrder).map((part) => {
      const body = bodyOf(part, type.typeUrl, controlPlane);
      assembled(type, body.length);
      return { delta: part, body };
    });
  return {
    variant: 'delta',
    path: ads.deltaAggregatedResources.path,
    metering: requestMetering(fields, limits),
    decode: catchMalformed((bytes) => {
      const raw = decodeRequest(bytes, fields, limits);
      if (raw.kind !== 'raw') return raw;
      return requestOf(raw, raw.initialVersions && initialVersions.read(bytes, raw.initialVersions));
    }),
    // The nonce correlates ACKs only; the lists of a request with a stale nonce count (rule C19).
    acceptsSubscription: () => true,
    ownBytes: ({ shared, changed, removed }) =>
      shared === undefined
        ? sum(changed, ({ deltaField }) => deltaField.length) + sum(removed, (name) => name.length)
        : 0,
    buildResponses: (delta, { view }) => {
      const { type } = view;
      return delta.shared === undefined ? build(delta, type) : responses.get(delta.shared, () => build(delta, type));
    },
  };
}

function requestOf(raw: RawRequest, initialVersions: InitialVersions | undefined): AdsRequest {
  return {
    node: raw.node,
    typeUrl: raw.typeUrl,
    nonce: raw.nonce,
    errorDetail: raw.errorDetail,
    initialVersions,
    changeSubscription: (before, { legacyWildcard }) => updateSubscription(before, raw, legacyWildcard),
  };
}

function bodyOf({ changed, removed }: Delta, typeUrl: string, controlPlane: ControlPlane): Buffer {
  const rest = DeltaDiscoveryResponse.fromPartial({ typeUrl, removedResources: [...removed], controlPlane });
  return concatBody([...changed.map(({ deltaField }) => deltaField), DeltaDiscoveryResponse.encode(rest).finish()]);
}

/**
 * Splits a delta into responses of at most `maxBody` bytes; a larger resource is sent alone (rule C29). What a type with
 * an order changes stays together.
 */
function split(delta: Delta, maxBody: number, order: UpdateOrder | undefined): readonly Delta[] {
  if (order === undefined) return splitBySize(delta, maxBody);
  return [
    {
      changed: delta.changed.toSorted((a, b) => order.rank(a.name) - order.rank(b.name)),
      removed: delta.removed.toSorted((a, b) => order.rank(b) - order.rank(a)),
    },
  ];
}

/** A removed name is encoded as UTF-8 after a tag and a length. */
function removedSize(name: string): number {
  return Buffer.byteLength(name) + 6;
}

function splitBySize(delta: Delta, maxBody: number): readonly Delta[] {
  const parts: { changed: EncodedResource[]; removed: string[] }[] = [];
  let last: (typeof parts)[number] | undefined;
  let size = 0;
  const partWithRoom = (bytes: number): { changed: EncodedResource[]; removed: string[] } => {
    if (last === undefined || size + bytes > maxBody) {
      last = { changed: [], removed: [] };
      parts.push(last);
      size = 0;
    }
    size += bytes;
    return last;
  };
  for (const resource of delta.changed) partWithRoom(resource.deltaField.length).changed.push(resource);
  for (const name of delta.removed) partWithRoom(removedSize(name)).removed.push(name);
  return parts.length > 1 ? parts : [delta];
}
