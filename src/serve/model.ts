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
  /** Milliseconds since the epoch. */
  readonly at: number;
}
