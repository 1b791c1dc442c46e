import type { PolicyConfig, Target } from '../translate/model.ts';

/** A resource as it goes over the wire, encoded once for the whole fleet. */
export interface EncodedResource {
  readonly typeUrl: string;
  /** The name by which data planes file and remove it. */
  readonly name: string;
  /** The first 16 bytes of the SHA-256 of the encoded message, in hex: equal on every replica, after every restart. */
  readonly version: string;
  /** A whole field `resources` of a DeltaDiscoveryResponse: tag, length, `Resource`. Responses are put together from these. */
  readonly deltaField: Buffer;
  /** A whole field `resources` of a DiscoveryResponse: tag, length, `google.protobuf.Any`. */
  readonly stateField: Buffer;
}

/** What the server must know about a type of resources. */
export interface ResourceType {
  readonly typeUrl: string;
  /** Whether a state-of-the-world response carries everything, so that absence means removal. */
  readonly fullState: boolean;
  /** Whether a first request without names means "all". */
  readonly legacyWildcard: boolean;
  /** Pushes leave a stream in this order: lower first. */
  readonly order: number;
  /** The name of an encoded message of this type; in state of the world nothing else tells it. */
  nameOf(message: Uint8Array): string;
}

/** One way to spell targets and rules on the wire. A second one stands beside it, chosen by the type a node asks for. */
export interface Dialect {
  readonly name: string;
  readonly targetType: ResourceType;
  readonly configType: ResourceType;
  encodeTarget(target: Target): EncodedResource;
  encodeConfig(config: PolicyConfig): EncodedResource;
}
