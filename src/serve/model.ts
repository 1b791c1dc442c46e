import type { Node } from '../gen/envoy/config/core/v3/base.ts';
import type { EncodedResource } from '../snapshot/model.ts';

/** The status of connected nodes: what each stream was sent and answered. Every value is a copy taken at the call. */

/** The clause of the node identification that named the Gateway. */
export type IdentifiedBy =
  | 'metadata.alt_xds_hostname'
  | 'x-alt-xds-hostname'
  | 'metadata.role'
  | 'metadata.GATEWAY_NAME'
  | ':authority'
  | 'identity';

/** The two protocol variants of ADS. */
export type ProtocolVariant = 'delta' | 'state-of-the-world';

/** One stream of one node. A node with two streams has two of these. */
export interface NodeStatus {
  /** `node.id`, at most 256 characters of it; empty if the node has none. */
  readonly id: string;
  /** `<namespace>/<name>`. */
  readonly gateway: string;
  /** False while no Gateway object of that name exists; the node is served empty Views until it does. */
  readonly gatewayExists: boolean;
  readonly identifiedBy: IdentifiedBy;
  /** `<namespace>/<name>` of the ServiceAccount that was proven; absent when nobody is asked (`--xds-auth=none`). */
  readonly serviceAccount?: string;
  readonly variety: ProtocolVariant;
  /** Remote address and port of the connection. */
  readonly peer: string;
  /** Milliseconds since the epoch. */
  readonly connectedSince: number;
  /** The types that the node requested, in push order (rule E2). */
  readonly types: readonly TypeStatus[];
}

/** The exchange about one type on one stream. */
export interface TypeStatus {
  readonly typeUrl: string;
  /** False for a type that is not registered; it has no resources (rule A7). */
  readonly known: boolean;
  readonly subscription: { readonly wildcard: boolean; readonly names: readonly string[] };
  /** The last response. */
  readonly sent?: SentVersion;
  /** The last version that the node ACKed as a whole. */
  readonly acked?: SentVersion;
  /** Time of the response that is not answered yet, in milliseconds since the epoch. */
  readonly inFlightSince?: number;
  /** The last NACK, cleared by the next ACK (rule G11). */
  readonly rejection?: Rejection;
  /** The warnings of the last ACK. */
  readonly remarks?: Warnings;
  readonly counts: {
    readonly requests: number;
    readonly responses: number;
    readonly acks: number;
    readonly nacks: number;
  };
}

/** A version of all resources of a type, and the response that completed it. */
export interface SentVersion {
  /** The version of the View. */
  readonly version: string;
  readonly nonce: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** A NACK. */
export interface Rejection {
  readonly nonce: string;
  /** `error_detail.message`, at most 2,048 characters of it. */
  readonly message: string;
  /** The message by resource, errors first, if the node sends it in that form (rule G11); at most 32. */
  readonly diagnostics: readonly Diagnostic[];
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** A response that a node NACKed. */
export interface RejectedResponse {
  /** `<namespace>/<name>`. */
  readonly gateway: string;
  /** `node.id`, at most 256 characters of it. */
  readonly node: string;
  readonly typeUrl: string;
  /** `error_detail.message`, at most 2,048 characters of it. */
  readonly message: string;
}

/** A claim of a node that its identity does not allow. */
export interface DeniedClaim {
  /** `<namespace>/<name>` of the ServiceAccount. */
  readonly account: string;
  /** `<namespace>/<name>`; undefined if the node named none. */
  readonly gateway: string | undefined;
  readonly message: string;
}

/** Observes how changes reach the nodes that have an earlier state. Called for each response, so that it must be cheap. */
export interface UpdateObserver {
  /** A node was sent another state. Time in milliseconds since the epoch. Returns the number of what it was sent. */
  pushed(at: number): number;
  /** A node ACKed or NACKed a response. @param pushed what `pushed` returned */
  answered(pushed: number, at: number, accepted: boolean): void;
}

/** The warnings of a node about a response that it applied. */
export interface Warnings {
  readonly nonce: string;
  /** At most 32. */
  readonly diagnostics: readonly Diagnostic[];
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** An error or a warning of a node about one resource. */
export interface Diagnostic {
  /** The resource name that the node gives, at most 256 characters of it. */
  readonly resource: string;
  readonly severity: 'error' | 'warning';
  /** At most 512 characters. */
  readonly message: string;
}

/** One stream of one node for CSDS, resource by resource. A node with two streams has two of these. */
export interface ConnectedClient {
  /** As the node sent it; if that is larger than 16 KiB, only its id, at most 256 characters of it. */
  readonly node: Node;
  /** `<namespace>/<name>`. */
  readonly gateway: string;
  /** Takes the status of each resource at the call. The iteration may be slow: later changes do not affect it. */
  resources(): Iterable<ResourceStatus>;
}

/** The exchange about one resource on one stream. */
export interface ResourceStatus {
  readonly typeUrl: string;
  /** Empty for the statement that the type has no resources. */
  readonly name: string;
  /**
   * `synced`: sent and ACKed. `stale`: sent and not answered. `error`: NACKed, and not ACKed since. `not-sent`: not
   * sent yet, or what was sent is out of date.
   */
  readonly status: 'synced' | 'stale' | 'error' | 'not-sent';
  /** The resource as it was sent last; undefined if it was not sent, or was sent as removed. */
  readonly sent?: EncodedResource;
  /** Time of the last response of the type, in milliseconds since the epoch; undefined for `not-sent`. */
  readonly lastSent?: number;
  /** The last NACK that concerns the resource, cleared by the next ACK. */
  readonly rejection?: { readonly resource?: EncodedResource; readonly message: string; readonly at: number };
}
