import type { ManifestOf, PlacesOf } from '../debug/model.ts';
import type { Clock, Counters, Logger, Random, StopAsync } from '../edges.ts';
import type { Explainer } from '../explain/model.ts';
import type { Commit } from '../graph/model.ts';
import type { KubeConnection } from '../kube/model.ts';
import type { DeniedClaim, RejectedResponse } from '../serve/model.ts';
import type { Batch, ResourceSource } from '../source/model.ts';
import type { Translation } from '../translate/model.ts';

/** Dependencies of an input. */
export interface InputParts {
  readonly translation: Translation;
  readonly explainer: Explainer;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly counters: Counters;
}

/** The source of the resources, and the place to which the results of their translation are reported. */
export interface Input {
  readonly source: ResourceSource;
  /** Where the resources come from, in words. */
  readonly origin: string;
  /** Finds where fields are written; undefined for each when the source has no files. */
  readonly placesOf: PlacesOf;
  /** Reads an object as it is written now, as YAML; undefined when it cannot be read. */
  readonly manifestOf: ManifestOf;
  /** Handles the end of the initial read: call it once, after the batch that completes it was translated. */
  synced(): void;
  /** Handles a commit: call it after each batch. */
  applied(commit: Commit, batch: Batch): void;
  /** The API server; undefined for files. */
  readonly connection: KubeConnection | undefined;
  /** Handles a claim of a Gateway that the identity of a node does not allow. */
  denied(claim: DeniedClaim): void;
  /** Handles a NACK of a node. */
  rejected(nack: RejectedResponse): void;
  readonly stop: StopAsync;
}
