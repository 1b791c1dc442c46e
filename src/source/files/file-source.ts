import { resolve } from 'node:path';
import type { Clock, Counters, Logger } from '../../edges.ts';
import type { DebounceOptions } from '../../rate/debounce.ts';
import type { ResourceSource } from '../model.ts';
import { documentOf } from './document-text.ts';
import { type ObjectField, placesOf } from './field-locator.ts';
import type { ManifestFile } from './manifest/manifest-file.ts';
import { ManifestStore } from './manifest-store.ts';
import { loadParser, ManifestLoader } from './parsing/manifest-loader.ts';
import { Arrivals } from './watch/arrivals.ts';
import { ManifestBudget } from './watch/manifest-budget.ts';
import { readText } from './watch/read-file.ts';
import { RootScanner } from './watch/root-scanner.ts';
import { watchFiles } from './watch/watch-files.ts';
import { WatchPlan } from './watch/watch-plan.ts';

export { type FilesOnce, readFilesOnce } from './read-once.ts';

/** The roots, namespaces and collaborators of a file source. */
export interface FileSourceOptions {
  /** Files and folders, as `-f` names them, in its order. One that does not exist yet delays `synced`. */
  readonly roots: readonly string[];
  /** The only namespaces whose objects count; absent or empty: all. Cluster-scoped objects always count. */
  readonly namespaces?: readonly string[];
  /** Debounces changes, so that a save of several files is one batch. Default: 25 ms, 500 ms at most. */
  readonly debounce?: DebounceOptions;
  /**
   * Milliseconds that a file has to stand still after it was written in place; one that was renamed into place counts at
   * once. Default: 1 second.
   */
  readonly settle?: number;
  /** Of all files together. Default: 64 MiB, 10,000 files. */
  readonly budget?: ManifestBudget;
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters?: Counters;
}

/** Resources from files. */
export interface FileSource extends ResourceSource {
  /**
   * Finds the place of each field, `<file>:<line>:<column>`; undefined for an object that is in no file. The place of a
   * field in a large file is that of its object: finding more would take the time of other work.
   */
  placesOf(fields: readonly ObjectField[]): Promise<readonly (string | undefined)[]>;
  /** Reads the document of an object, by `<Kind> <key>`; undefined for an object or a file that is gone. */
  manifestOf(object: string): Promise<string | undefined>;
}

/** The longest text that is parsed again for a place, in UTF-16 code units: 32 ms for the dearest of this length. */
const maxLocated = 8 * 1024;

const defaultDebounce: DebounceOptions = { idle: 25, ceiling: 500 };

/** Milliseconds. Programs that write a file in place do so within it; people who edit in place notice it. */
const defaultSettle = 1000;

/** Scan interval in milliseconds, for changes without events: on network mounts, or of renamed folders further up. */
const scanInterval = 5000;

const noCounters: Counters = { count: () => undefined, gauge: () => undefined, observe: () => undefined };

/** Resources from YAML and JSON files, which are watched: `docs/semantics.md`, "Files". */
export function fileSource(options: FileSourceOptions): FileSource {
  const { clock, log, namespaces = [], debounce = defaultDebounce, counters = noCounters } = options;
  const { settle = defaultSettle, budget = new ManifestBudget() } = options;
  const roots = distinct(options.roots);
  const counted = ({ root, name }: ManifestFile, objects: number): void => budget.setObjects(root, name, objects);
  const store = new ManifestStore({ roots, log, counters, clock, counted });
  const arrivals = new Arrivals();
  const plan = new WatchPlan();
  const read = async ({ realPath }: { readonly realPath: string }): Promise<string | undefined> => {
    const text = await readText(realPath, clock);
    return text === undefined || text.length > maxLocated ? undefined : text;
  };
  return {
    diagnostics: () => store.diagnostics(),
    placesOf: (fields) => placesOf(store, fields, read),
    manifestOf: (object) => documentOf(store, object, ({ realPath }) => readText(realPath, clock)),
    start: async (deliver) => {
      const parse = await loadParser();
      const loader = new ManifestLoader({ store, parse, namespaces, clock, log, counters });
      const common = { store, loader, arrivals, budget, plan, settle, clock, counters };
      const scanners = roots.map((path, root) => new RootScanner({ root, path, ...common }));
      return watchFiles({ ...common, scanners, debounce, scanInterval, log, deliver });
    },
  };
}

/** Drops roots that are named twice: their objects are no duplicates of themselves. */
function distinct(roots: readonly string[]): readonly string[] {
  const absolute = roots.map((path) => resolve(path));
  return roots.filter((_, at) => absolute.indexOf(absolute[at] ?? '') === at);
}
