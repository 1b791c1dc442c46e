import type { Clock, Counters, Logger, Random, StopAsync } from '../edges.ts';
import type { Commit } from '../graph/model.ts';
import type { RejectedResponse } from '../serve/model.ts';
import type { Batch, ResourceSource } from '../source/model.ts';
import type { Translation } from '../translate/model.ts';

export interface InputParts {
  readonly translation: Translation;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly counters: Counters;
}

/** Where the resources of a running control plane come from, and who is told there what became of them. */
export interface Input {
  readonly source: ResourceSource;
  /** To be called once, when everything was read and translated. */
  synced(): void;
  /** To be called after every batch that was applied. */
  applied(commit: Commit, batch: Batch): void;
  /** To be called when a node refuses a response. */
  refused(refusal: RejectedResponse): void;
  readonly stop: StopAsync;
}
