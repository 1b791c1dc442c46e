import type { Node } from '../gen/envoy/config/core/v3/base.ts';
import type { EncodedResource } from '../snapshot/model.ts';

/** Who is connected, and what each node was told and answered. Taken when asked for; nothing in here changes later. */

/** Which clause of the node identification named the Gateway. */
export type IdentifiedBy = 'metadata.alt_xds_hostname' | 'x-alt-xds-hostname' | 'metadata.role' | ':authority';

/** The two protocol variants of ADS. */
export type Variety = 'delta' | 'state-of-the-world';

/** One stream of one node. A node that opened two streams is listed twice. */
export interface NodeStatus {
  /** As the node calls itself; empty when it does not. At most 256 characters of it. */
  readonly id: string;
  /** `<namespace>/<name>`. */
  readonly gateway: string;
  /** False: "no such Gateway"; the node waits with an empty world until it appears. */
  readonly gatewayExists: boolean;
  readonly identifiedBy: IdentifiedBy;
  readonly variety: Variety;
  /** Address and port of the other end of the connection. */
  readonly peer: string;
  /** Milliseconds since the epoch. */
  readonly connectedSince: number;
  /** In the order of pushes; only the types that the node asked for. */
  readonly types: readonly TypeStatus[];
}

/** What one stream was told of one type, and what it answered. */
export interface TypeStatus {
  readonly typeUrl: string;
  /** False: no such type here; the node was told that nothing of it exists. */
  readonly known: boolean;
  readonly subscription: { readonly wildcard: boolean; readonly names: readonly string[] };
  /** The last response. */
  readonly sent?: Step;
  /** The last state that the node confirmed without an objection. */
  readonly acked?: Step;
  /** When the response was sent that the node has not answered yet, in milliseconds since the epoch. */
  readonly inFlightSince?: number;
  /** The last objection; gone once a later state is confirmed. */
  readonly rejection?: Rejection;
  /** What the node remarked when it confirmed the last state that it confirmed. */
  readonly remarks?: Remarks;
  readonly counts: {
    readonly requests: number;
    readonly responses: number;
    readonly acks: number;
    readonly nacks: number;
  };
}

/** A state of the Gateway's resources of one type, and the response that brought it. */
export interface Step {
  /** The version of the View. */
  readonly version: string;
  readonly nonce: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** What a node had against a response. */
export interface Rejection {
  readonly nonce: string;
  /** In the node's words, at most 2,048 characters of them. */
  readonly message: string;
  /** The same by resource, errors first, from a node that says it so; at most 32. */
  readonly diagnostics: readonly Diagnostic[];
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** A response that a node refused, as it is told to whoever has to know at once. */
export interface Refusal {
  /** `<namespace>/<name>`. */
  readonly gateway: string;
  /** As the node calls itself, at most 256 characters of it. */
  readonly node: string;
  readonly typeUrl: string;
  /** In the node's words, at most 2,048 characters of them. */
  readonly message: string;
}

/** What a node warned of in a response that it applied. */
export interface Remarks {
  readonly nonce: string;
  /** At most 32. */
  readonly diagnostics: readonly Diagnostic[];
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** What a node says of one resource. */
export interface Diagnostic {
  /** As the node calls it, at most 256 characters of it. */
  readonly resource: string;
  readonly severity: 'error' | 'warning';
  /** At most 512 characters of it. */
  readonly message: string;
}

/** One stream, as operators are told of it resource by resource. A node that opened two streams is there twice. */
export interface ConnectedClient {
  /** As it introduced itself; when that is more than 16 KiB, only its id, at most 256 characters of it. */
  readonly node: Node;
  /** `<namespace>/<name>`. */
  readonly gateway: string;
  /** What concerns the node, as it stands at the call. Read it at leisure: what is made of it does not change later. */
  resources(): Iterable<ResourceState>;
}

/** What one stream was told of one resource, and what it answered. */
export interface ResourceState {
  readonly typeUrl: string;
  /** Empty: that there is nothing of the type at all. */
  readonly name: string;
  /** `stale`: sent and not answered. `error`: refused, and nothing was confirmed since. `not-sent`: also when what was sent is no longer what there is. */
  readonly status: 'synced' | 'stale' | 'error' | 'not-sent';
  /** What was sent last. Absent: nothing was yet, or that there is none. */
  readonly sent?: EncodedResource;
  /** When the last response of the type was sent, in milliseconds since the epoch. Absent when the resource was not. */
  readonly lastSent?: number;
  /** The last objection to it; gone once a later state is confirmed. */
  readonly refusal?: { readonly resource?: EncodedResource; readonly message: string; readonly at: number };
}
