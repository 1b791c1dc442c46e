import type { ControlPlane, Node } from '../../gen/envoy/config/core/v3/base.ts';
import type { Delta, ResourceType, View } from '../../snapshot/model.ts';
import type { ProtocolVariant } from '../model.ts';
import type { InitialVersions } from '../request/initial-versions.ts';
import type { LimitExceeded, RequestLimits, RequestMetering } from '../request/request-cost.ts';
import type { AckState, RequestKind } from './ack-state.ts';
import type { PendingDelta } from './client-state.ts';
import type { Subscription, SubscriptionChange } from './subscription.ts';

/** A decoded request, the same for both protocol variants. */
export interface AdsRequest {
  readonly node: Node | undefined;
  readonly typeUrl: string;
  readonly nonce: string;
  /** `error_detail.message`, empty if it has none; undefined without an `error_detail`. */
  readonly errorDetail: string | undefined;
  /** The resources that the node holds from an earlier stream. Used in the first request of a type only (rule C21). */
  readonly initialVersions: InitialVersions | undefined;
  /** @param before undefined for the first request of the type on the stream */
  changeSubscription(before: Subscription | undefined, type: ResourceType): SubscriptionChange;
}

/**
 * A message that arrived. Decoding returns failures instead of throwing: an exception in the deserializer would end the
 * stream with a status that grpc-js chooses.
 */
export type Incoming =
  /** `bytes`: size of the encoded request. */
  | { readonly kind: 'request'; readonly request: AdsRequest; readonly bytes: number }
  | { readonly kind: 'undecodable'; readonly problem: string }
  | LimitExceeded;

/** One response: its encoded body, complete but for the nonce, and the changes in it. */
export interface ResponseChunk {
  readonly body: Buffer;
  readonly delta: Delta;
}

/** The stream that responses are built for. */
interface ResponseContext {
  readonly view: View;
  readonly subscription: Subscription;
  /** True if the node needs a response even if it is empty (rules B2, C1). */
  readonly responseRequired: boolean;
}

/** A protocol variant of ADS: decodes requests and builds responses. The rest of ADS is common to both variants. */
export interface AdsProtocol {
  readonly variant: ProtocolVariant;
  /** Full path of the gRPC method. */
  readonly path: string;
  readonly metering: RequestMetering;
  decode(bytes: Buffer): Incoming;
  /** Returns whether to apply the subscription of a request. `state`: the ACK state before the request. */
  acceptsSubscription(kind: RequestKind, state: AckState): boolean;
  /** Returns the bytes of the responses that `buildResponses` would build for this stream alone; 0 for shared ones. */
  ownBytes(delta: PendingDelta, context: ResponseContext): number;
  /**
   * Builds the responses that bring a node up to date, in sending order; none if the variant cannot express the delta.
   */
  buildResponses(delta: PendingDelta, context: ResponseContext): readonly ResponseChunk[];
}

/** The options of both protocol variants. */
export interface ProtocolOptions {
  /** The `control_plane` of every response (rule A16). */
  readonly controlPlane: ControlPlane;
  /** Size above which a delta response is split; bytes (rule C29). */
  readonly maxBody: number;
  readonly limits: RequestLimits;
  /** Size of the response cache; bytes. */
  readonly cache: number;
  /** Called for each response body that is built, with its size. Not called for bodies from the cache. */
  readonly assembled: (type: ResourceType, bytes: number) => void;
}

/** Wraps a decoder that throws for malformed bytes into one that returns them as `undecodable`. */
export function catchMalformed(decode: (bytes: Buffer) => AdsRequest | LimitExceeded): (bytes: Buffer) => Incoming {
  return (bytes) => {
    try {
      const request = decode(bytes);
      return 'kind' in request ? request : { kind: 'request', request, bytes: bytes.length };
    } catch (error) {
      return { kind: 'undecodable', problem: error instanceof Error ? error.message : String(error) };
    }
  };
}
