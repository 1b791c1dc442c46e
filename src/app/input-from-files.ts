import type { ServeSettings } from '../cli/serve-flags.ts';
import { fileSource } from '../source/source.ts';
import type { Input, InputParts } from './input.ts';
import { reportStatuses } from './status-log.ts';

/** Opens what the settings name; nothing is read before the source is started. Throws an EnvironmentError. */
export async function openInput(settings: ServeSettings, parts: InputParts): Promise<Input> {
  const { input, namespaces } = settings;
  const { translation, clock, log, counters } = parts;
  if (input.from === 'cluster') {
    const { openCluster } = await import('./input-from-cluster.ts');
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
