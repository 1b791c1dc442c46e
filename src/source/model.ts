import type { StopAsync } from '../edges.ts';
import type { BundleVersions, FetchedKeys, KindName, ResourceByKind, UnlistedNamespaces } from '../resources/model.ts';

/**
 * One object that was added or changed, or deleted (`undefined`). The key is `<namespace>/<name>`, or the name of a
 * cluster-scoped object.
 */
export type ResourceChange = {
  readonly [K in KindName]: {
    readonly kind: K;
    readonly key: string;
    readonly resource: ResourceByKind[K] | undefined;
    /** As many parts as what it replaces takes the time of, if these are several: to remove them takes time, too. */
    readonly replaces?: number;
    /** True: it takes away what callers may do, and does nothing else. */
    readonly narrows?: true;
  };
}[KindName];

/** The kinds whose status this program writes. */
export type StatusKind = 'GatewayClass' | 'Gateway' | 'MCPAuthPolicy';

/** The stored state of one object whose status is written; only a cluster has it. */
export interface Observation {
  readonly kind: StatusKind;
  readonly key: string;
  /** Undefined: the object was deleted. */
  readonly object: ObservedObject | undefined;
}

/** What an API server stores of an object that statuses are written to. */
export interface ObservedObject {
  readonly uid: string;
  /** Opaque: compared for equality only. */
  readonly resourceVersion: string;
  readonly generation: number | undefined;
  /** The stored `status`, as JSON; undefined when there is none. */
  readonly status: unknown;
}

/** Changes that belong together, or a part of them. */
export interface Batch {
  /** The time at which its first change was noticed, in milliseconds since the epoch; absent for one that is put together. */
  readonly since?: number;
  readonly changes: readonly ResourceChange[];
  /** Objects of which something beside the decoded resource changed: a status, a resource version. */
  readonly observations?: readonly Observation[];
  /** Absent: unchanged. Files have none. */
  readonly bundle?: BundleVersions;
  /** Absent: unchanged. `unknown` until a batch says otherwise. */
  readonly unlistedNamespaces?: UnlistedNamespaces;
  /** The answers of the `jwks.uri` that changed, by URI; undefined: nobody needs it any more. */
  readonly fetchedKeys?: readonly (readonly [uri: string, keys: FetchedKeys | undefined])[];
  /**
   * True: more parts of it follow, each in a turn of the event loop of its own. Nothing of it counts before the last one:
   * with a part of it the world is one that never was.
   */
  readonly more?: boolean;
  /**
   * True: it takes away what callers may do, and does nothing else. It counts at once, also between the parts of another
   * batch: what is left is less than what was there before them.
   */
  readonly narrows?: true;
  /** True once the initial state of every kind was delivered. */
  readonly synced: boolean;
}

/** An error or warning about the input, with its place; reported as long as it lasts. */
export interface InputDiagnostic {
  readonly severity: 'error' | 'warning';
  /** `<file>:<line>:<column>`, or a path without a position. */
  readonly place: string;
  /** `<Kind> <namespace>/<name>`, when it belongs to an object. */
  readonly object: string | undefined;
  /** The field's path as `spec.rules[0].matches`; empty for the whole object or file. */
  readonly field: string;
  readonly message: string;
}

/** A source of resources. Reads nothing before `start`. */
export interface ResourceSource {
  /** Delivers batches one after another, never within the delivery of another. Settles when watching has begun. */
  start(deliver: (batch: Batch) => void): Promise<StopAsync>;
  /** Returns all current diagnostics, ordered by place. */
  diagnostics(): readonly InputDiagnostic[];
}
