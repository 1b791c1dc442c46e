import type { StopAsync } from '../edges.ts';
import type { Commit } from '../graph/model.ts';
import type { KindName } from '../resources/model.ts';
import type { Observation } from '../source/model.ts';

/** A response that a node rejected (NACK). */
export interface RejectedResponse {
  /** `<namespace>/<name>`. */
  readonly gateway: string;
  /** The node id, as the node sent it; may be empty. */
  readonly node: string;
  readonly typeUrl: string;
  /** The node's error message. */
  readonly message: string;
}

/** A claim of a Gateway that the identity of a node does not allow. */
export interface DeniedClaim {
  /** `<namespace>/<name>` of the ServiceAccount. */
  readonly account: string;
  /** `<namespace>/<name>`; undefined if the node named none. */
  readonly gateway: string | undefined;
  readonly message: string;
}

/** Something that the author of an object probably did not mean. No condition says so, because it may be meant. */
export interface Hint {
  readonly kind: KindName;
  /** `<namespace>/<name>`, or the name of a cluster-scoped object. */
  readonly key: string;
  /** The path of the field in words; empty: the whole object. */
  readonly field: string;
  /** With the remedy. */
  readonly message: string;
}

/** Writes results to the cluster: statuses on the leader, Events on every replica. */
export interface StatusManager {
  /** Joins the election, if there is one. The stop ends all writes at once and releases the Lease. */
  start(): StopAsync;
  /**
   * Handles a commit: call it after each one, when the translation is up to date, with the observations of its batch.
   *
   * @param more further commits of the same change follow: nothing is compared before the last one
   */
  applied(commit: Commit, observations: readonly Observation[], more?: boolean): void;
  /** Enables writing: call it once the initial state was read and translated. */
  synced(): void;
  /** Returns whether this replica writes now, so that what only the leader needs is worth computing. */
  leads(): boolean;
  /** Handles a NACK. Cheap: it may be called at the rate of the requests of nodes. */
  rejected(response: RejectedResponse): void;
  /** Handles a claim that was denied. Cheap, as `rejected` is. */
  denied(claim: DeniedClaim): void;
  /** Handles the hints that there are now, on the leader; others record none. */
  hinted(hints: readonly Hint[]): void;
}
