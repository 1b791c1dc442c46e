import type { Node } from '../gen/envoy/config/core/v3/base.ts';
import type { GatewayKey, PolicyConfig, Target } from '../translate/model.ts';

/** A resource in the encodings of both protocol variants, encoded once for all nodes. */
export interface EncodedResource {
  readonly typeUrl: string;
  /** The resource name: data planes store and remove the resource by it. */
  readonly name: string;
  /** The first 16 bytes of the SHA-256 of the encoded message, in hex: equal on every replica, after every restart. */
  readonly version: string;
  /** A whole field `resources` of a DeltaDiscoveryResponse: tag, length, `Resource`. Responses concatenate these. */
  readonly deltaField: Buffer;
  /** A whole field `resources` of a (state-of-the-world) DiscoveryResponse: tag, length, `google.protobuf.Any`. */
  readonly sotwField: Buffer;
}

/** The properties of a resource type that the server depends on. */
export interface ResourceType {
  readonly typeUrl: string;
  /** The dialect that the type belongs to: a node speaks those of the types that it requests. None: of no dialect. */
  readonly dialect?: DialectName;
  /** True if a state-of-the-world response carries all resources, so that absence means removal. */
  readonly fullState: boolean;
  /** True if a first request without names subscribes to all resources (xDS legacy wildcard). */
  readonly legacyWildcard: boolean;
  /** Pushes leave a stream in this order, lower first. */
  readonly pushOrder: number;
  /** Absent: in the order of the names, and split wherever a response is full (rule C29). */
  readonly updateOrder?: UpdateOrder;
}

type DialectName = 'mcp.kgateway.dev' | 'agentgateway.dev';

/** A dialect, for those who show what is served: its types, and the form of single objects in it. */
export interface Dialect {
  readonly name: DialectName;
  readonly types: readonly ResourceType[];
  /** Types with one resource for each target and for each policy; absent in a dialect that has no such types. */
  readonly counted?: { readonly targets: ResourceType; readonly policies: ResourceType };
  /** The resource of one target. */
  encodeTarget(target: Target): EncodedResource;
  /** The resources of a policy that is attached to these Gateways. */
  encodePolicy(config: PolicyConfig, gateways: readonly GatewayKey[]): readonly EncodedResource[];
}

/**
 * The order in which one change of a type reaches a node: all of it in one response, whatever its size, so that a node
 * never has one part without another.
 */
export interface UpdateOrder {
  /** Changed resources stand in this order, lower first, and removed ones the other way round. */
  rank(name: string): number;
  /** Bytes of a response that nodes accept; a larger one is sent and logged. */
  readonly maxResponse: number;
}

/** A type whose only resource is made of what a node says of itself. Only that node is sent it. */
export interface NodeType {
  readonly type: ResourceType;
  /** Undefined for a node that says too little. */
  resourceOf(node: Node): EncodedResource | undefined;
}
