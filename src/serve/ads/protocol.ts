import type { Node } from '../../gen/envoy/config/core/v3/base.ts';
import type { Delta, ResourceType, View } from '../../snapshot/model.ts';
import type { Variety } from '../model.ts';
import type { Reported } from '../request/initial-versions.ts';
import type { Excess } from '../request/request-cost.ts';
import type { Weighing } from '../request/request-gauge.ts';
import type { Flow, Reply } from './ack-state.ts';
import type { Update } from './client-state.ts';
import type { Subscription, SubscriptionStep } from './subscription.ts';

/** A request of either variant, as far as the core looks at it. */
export interface AdsRequest {
  readonly node: Node | undefined;
  readonly typeUrl: string;
  readonly nonce: string;
  /** The message of the `error_detail`; present, if only as an empty text, when something was refused. */
  readonly refusal: string | undefined;
  /** What the node holds from an earlier stream, if it says so. Read from the first message of a type only. */
  readonly reported: Reported | undefined;
  /** What the message makes of the subscription; `before` is absent for the first message of the type. */
  subscribe(before: Subscription | undefined, type: ResourceType): SubscriptionStep;
}

/** What arrived. Decoding never throws: one malformed request ends its own stream, with a status of our choice. */
export type Incoming =
  | { readonly kind: 'request'; readonly request: AdsRequest; readonly bytes: number }
  | { readonly kind: 'undecodable'; readonly problem: string }
  | Excess;

/** One response, ready but for its nonce, and what it says. */
export interface Part {
  readonly body: Buffer;
  readonly says: Delta;
}

/** What an update is about. */
interface About {
  readonly view: View;
  readonly subscription: Subscription;
  /** Whether the node waits for a response even if there is nothing to say. */
  readonly awaited: boolean;
}

/** One protocol variant of ADS: how requests are read and responses are put together. The rest is common to both. */
export interface Variant {
  readonly variety: Variety;
  /** The full name of the gRPC method. */
  readonly path: string;
  readonly weighing: Weighing;
  decode(bytes: Buffer): Incoming;
  /** Whether what a request subscribes to counts, given what it means for the exchange that stood so. */
  heeds(reply: Reply, flow: Flow): boolean;
  /** The responses that make this update known to a node, in the order of sending; none when there is no way to say it. */
  compose(update: Update, about: About): readonly Part[];
}
