import { fileSource } from '../source/source.ts';
import type { Input, InputParts } from './input.ts';
import type { FileInputSettings } from './settings.ts';
import { logStatuses } from './status-log.ts';

/** Reads resources from manifests and writes their statuses to the log. Starts no I/O. */
export function openFiles(
  { filenames, debounce, settle }: FileInputSettings,
  namespaces: readonly string[],
  { translation, clock, log, counters }: InputParts,
): Input {
  return {
    source: fileSource({ roots: filenames, namespaces, debounce, settle, clock, log, counters }),
    synced: () => undefined,
    applied: (commit) => logStatuses(log, translation, commit),
    rejected: () => undefined,
    stop: () => Promise.resolve(),
  };
}
