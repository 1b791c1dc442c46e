import { fileSource } from '../source/source.ts';
import { hintLog } from './hint-log.ts';
import { HintWatch } from './hint-watch.ts';
import type { Input, InputParts } from './input.ts';
import type { FileInputSettings } from './settings.ts';
import { statusLog } from './status-log.ts';

/** Milliseconds from a change of a file to the look for hints: a person waits for it. */
const hintDelay = 1_000;

/** Reads resources from manifests and writes their statuses to the log. Starts no I/O. */
export function openFiles(
  { filenames, debounce, settle }: FileInputSettings,
  namespaces: readonly string[],
  { translation, explainer, clock, log, counters }: InputParts,
): Input {
  const source = fileSource({ roots: filenames, namespaces, debounce, settle, clock, log, counters });
  const report = hintLog({ placesOf: (fields) => source.placesOf(fields), clock, log });
  const hints = new HintWatch({ explainer, report, delay: hintDelay, clock, log });
  const logStatuses = statusLog(log, translation, clock);
  let objects: number | undefined = 0;
  /** Once, when everything was read: an empty folder is easily another one than was meant. */
  const announce = (): void => {
    const message = `read ${objects} ${objects === 1 ? 'object' : 'objects'}`;
    if (objects === 0) log.warn(`${message}: nothing is served until there is a manifest`, { files: filenames });
    else log.info(message, { files: filenames });
    objects = undefined;
  };
  return {
    source,
    origin: filenames.join(', '),
    placesOf: (places) => source.placesOf(places.map(({ kind, key, path }) => ({ object: `${kind} ${key}`, path }))),
    manifestOf: (kind, key) => source.manifestOf(`${kind} ${key}`),
    synced: () => undefined,
    applied: (commit, batch) => {
      const { synced, changes } = batch;
      logStatuses(commit, batch);
      if (objects !== undefined) {
        objects += changes.filter(({ resource }) => resource !== undefined).length;
        if (synced) announce();
      }
      // Half a world would be full of missing objects.
      if (synced) hints.changed();
    },
    connection: undefined,
    denied: () => undefined,
    rejected: () => undefined,
    stop: () => hints.stop(),
  };
}
