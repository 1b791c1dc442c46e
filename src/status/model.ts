import type { StopAsync } from '../edges.ts';
import type { Commit } from '../graph/model.ts';
import type { Observation } from '../source/model.ts';

/** A response that a node refused, as it is told to whoever has to know at once. */
export interface RefusedResponse {
  /** `<namespace>/<name>`. */
  readonly gateway: string;
  /** As the node calls itself. */
  readonly node: string;
  readonly typeUrl: string;
  /** In the node's words. */
  readonly message: string;
}

/** Tells the cluster what became of its objects: statuses by the leader of the replicas, Events. */
export interface StatusKeeper {
  /** Begins to run for the Lease, if there is an election. Stopping ends all writing at once and lets go of the Lease. */
  start(): StopAsync;
  /** To be told of every commit, when the translation is up to date, with what was observed in the same batch. */
  applied(commit: Commit, observations: readonly Observation[]): void;
  /** To be told once everything was read and translated: nothing is said of any object before. */
  synced(): void;
  /** To be told of every response that a node refused. Costs little, however often it is called. */
  refused(response: RefusedResponse): void;
}
