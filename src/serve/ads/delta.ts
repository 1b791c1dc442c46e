import type { ControlPlane } from '../../gen/envoy/config/core/v3/base.ts';
import { AggregatedDiscoveryServiceService as ads } from '../../gen/envoy/service/discovery/v3/ads.ts';
import { DeltaDiscoveryResponse } from '../../gen/envoy/service/discovery/v3/discovery.ts';
import type { Delta, EncodedResource } from '../../snapshot/model.ts';
import { type Reported, ReportReader } from '../request/initial-versions.ts';
import type { RequestLimits } from '../request/request-cost.ts';
import { type RawRequest, readRequest } from '../request/request-decoder.ts';
import { deltaFields as fields } from '../request/request-fields.ts';
import { weighing } from '../request/request-gauge.ts';
import { decoder } from './decoder.ts';
import type { AdsRequest, Part, Variant } from './protocol.ts';
import { BodyCache, bodyOfPieces } from './response-cache.ts';
import { changeSubscription } from './subscription.ts';

export interface BodyOptions {
  /** Who answers, as every response says. */
  readonly controlPlane: ControlPlane;
  /** A response that would be larger is split, where the variant allows it; bytes. */
  readonly maxBody: number;
  /** A request that takes more is not read. */
  readonly limits: RequestLimits;
  /** Bytes to keep of bodies, and of what they say, for streams that will need the same. */
  readonly cache: number;
  /** Told of every body that is put together, and its size. */
  readonly assembled: (typeUrl: string, bytes: number) => void;
}

/** The incremental variant: a response carries what changed and the names of what is gone. */
export function createDelta({ controlPlane, maxBody, limits, cache, assembled }: BodyOptions): Variant {
  const bodies = new BodyCache(cache);
  const reports = new ReportReader();
  const make = (update: Delta, typeUrl: string): readonly Part[] =>
    split(update, maxBody).map((says) => {
      const body = bodyOf(says, typeUrl, controlPlane);
      assembled(typeUrl, body.length);
      return { says, body };
    });
  return {
    variety: 'delta',
    path: ads.deltaAggregatedResources.path,
    weighing: weighing(fields, limits),
    decode: decoder((bytes) => {
      const raw = readRequest(bytes, fields, limits);
      return raw.kind === 'raw' ? requestOf(raw, raw.versions && reports.read(bytes, raw.versions)) : raw;
    }),
    // The nonce only says what is acknowledged; the lists are a change in their own right (rule C19).
    heeds: () => true,
    compose: (update, { view }) => {
      const { typeUrl } = view.type;
      return update.step === undefined ? make(update, typeUrl) : bodies.get(update.step, () => make(update, typeUrl));
    },
  };
}

function requestOf(raw: RawRequest, reported: Reported | undefined): AdsRequest {
  return {
    node: raw.node,
    typeUrl: raw.typeUrl,
    nonce: raw.nonce,
    refusal: raw.refusal,
    reported,
    subscribe: (before, { legacyWildcard }) =>
      changeSubscription(before, { subscribe: raw.wanted, unsubscribe: raw.unwanted }, legacyWildcard),
  };
}

function bodyOf({ changed, removed }: Delta, typeUrl: string, controlPlane: ControlPlane): Buffer {
  const rest = DeltaDiscoveryResponse.fromPartial({ typeUrl, removedResources: [...removed], controlPlane });
  return bodyOfPieces([...changed.map(({ deltaField }) => deltaField), DeltaDiscoveryResponse.encode(rest).finish()]);
}

/** Cuts an update into as few as can be sent in responses of this size; one large resource stays whole (rule C29). */
function split(update: Delta, maxBody: number): readonly Delta[] {
  const parts: { changed: EncodedResource[]; removed: string[] }[] = [];
  let last: (typeof parts)[number] | undefined;
  let size = 0;
  const room = (bytes: number): { changed: EncodedResource[]; removed: string[] } => {
    if (last === undefined || size + bytes > maxBody) {
      last = { changed: [], removed: [] };
      parts.push(last);
      size = 0;
    }
    size += bytes;
    return last;
  };
  for (const resource of update.changed) room(resource.deltaField.length).changed.push(resource);
  // A name takes its bytes in UTF-8, a tag and a length.
  for (const name of update.removed) room(Buffer.byteLength(name) + 6).removed.push(name);
  return parts.length > 1 ? parts : [update];
}
