import type { PolicyConfig, Target } from '../translate/model.ts';

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
}

type DialectName = 'mcp.kgateway.dev';

/** An encoding of targets and rules. Another one can be served beside it: a node chooses by the type it requests. */
export interface Dialect {
  readonly name: string;
  readonly targetType: ResourceType;
  readonly configType: ResourceType;
  encodeTarget(target: Target): EncodedResource;
  encodeConfig(config: PolicyConfig): EncodedResource;
}
