import type { StopAsync } from '../edges.ts';
import type { BundleVersions, KindName, ResourceByKind, UnlistedNamespaces } from '../resources/model.ts';

export type { BundleVersions, UnlistedNamespaces } from '../resources/model.ts';

/** One object that appeared, changed or (`undefined`) went. The key is `<namespace>/<name>`, or the name of a cluster-scoped object. */
export type ResourceChange = {
  readonly [K in KindName]: {
    readonly kind: K;
    readonly key: string;
    readonly resource: ResourceByKind[K] | undefined;
  };
}[KindName];

/** The kinds that have a status of ours. */
export type StatusKind = 'GatewayClass' | 'Gateway' | 'MCPAuthPolicy';

/** What an API server holds of one object that a status is written to; only a cluster has it. */
export interface Observation {
  readonly kind: StatusKind;
  readonly key: string;
  /** Undefined: the object is gone. */
  readonly object: ObservedObject | undefined;
}

export interface ObservedObject {
  readonly uid: string;
  /** Opaque: equality is all that it is good for. */
  readonly resourceVersion: string;
  readonly generation: number | undefined;
  /** `status` as it is stored, plain JSON; undefined when there is none. */
  readonly status: unknown;
}

/** What belongs into one commit. */
export interface Batch {
  readonly changes: readonly ResourceChange[];
  /** Objects of which something else than what is decoded is new: a status that somebody wrote, a resource version. */
  readonly observations?: readonly Observation[];
  /** Absent: as before. Files have none. */
  readonly bundle?: BundleVersions;
  /** Absent: as before. `unknown` until a batch says otherwise. */
  readonly unlistedNamespaces?: UnlistedNamespaces;
  /** Whether every kind is complete now: the initial state was delivered. Never goes back. */
  readonly synced: boolean;
}

/** Something wrong in the input, with its place; reported as long as it lasts. */
export interface InputProblem {
  readonly severity: 'error' | 'warning';
  /** `<file>:<line>:<column>`, or a path without a position. */
  readonly place: string;
  /** `<Kind> <namespace>/<name>`, when it belongs to an object. */
  readonly object: string | undefined;
  /** The field's path as `spec.rules[0].matches`; empty for the whole object or file. */
  readonly field: string;
  readonly message: string;
}

/** Where resources come from. Nothing is read before `start`. */
export interface ResourceSource {
  /** Delivers batches, one after another, never within another's delivery. Settles when watching has begun. */
  start(deliver: (batch: Batch) => void): Promise<StopAsync>;
  /** Everything that is wrong right now, ordered by place. */
  problems(): readonly InputProblem[];
}
