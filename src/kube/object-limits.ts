import type { JsonBounds } from '../json/bounded-json.ts';

/**
 * What is read of an API server at most. It is trusted to say what is allowed, and not to be well: whatever it sends,
 * this process lives on, and an object beyond a limit counts as one that cannot be read.
 */

/**
 * The largest object, in bytes of JSON. etcd stores 1.5 MiB by default, and as protobuf for built-in kinds; the JSON of
 * a protobuf object is at most about five times as long.
 */
export const maxObjectBytes: number = 8 * 1024 * 1024;

/**
 * The structure of an object: 256 rules with 64 matches of 9 values each are 150,000, the largest policy that its CRD
 * allows. Schemas of Kubernetes are at most 30 deep.
 */
export const objectBounds: JsonBounds = { maxValues: 200_000, maxDepth: 100 };

/** The part of an error response that is read, in bytes: its message is cut at 300 characters. */
export const maxErrorBytes: number = 64 * 1024;
