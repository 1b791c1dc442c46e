import type { ServeSettings } from './config.ts';
import type { Clock, Counters, Logger, Random, StopAsync } from './edges.ts';
import type { Commit } from './graph/model.ts';
import type { Refusal } from './serve/model.ts';
import type { Batch, ResourceSource } from './source/model.ts';
import { fileSource } from './source/source.ts';
import { reportStatuses } from './status-log.ts';
import type { Translation } from './translate/model.ts';

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
  refused(refusal: Refusal): void;
  readonly stop: StopAsync;
}

/** Opens what the settings name; nothing is read before the source is started. Throws an EnvironmentError. */
export async function openInput(settings: ServeSettings, parts: InputParts): Promise<Input> {
  const { input, namespaces } = settings;
  const { translation, clock, log, counters } = parts;
  if (input.from === 'cluster') {
    const { openCluster } = await import('./cluster.ts');
    return openCluster(settings, input, parts);
  }
  return {
    source: fileSource({ roots: input.filenames, namespaces, quiet: input.quiet, clock, log, counters }),
    synced: () => undefined,
    // Files have no status that could be looked up.
    applied: (commit) => reportStatuses(log, translation, commit),
    refused: () => undefined,
    stop: () => Promise.resolve(),
  };
}
