import { resolve } from 'node:path';
import type { Clock, Counters, Logger } from '../../edges.ts';
import type { Quiet } from '../../rate/debounce.ts';
import type { ResourceSource } from '../model.ts';
import { FileWorld } from './manifest-store.ts';
import { RootReader } from './watch/root-reader.ts';
import { watchFiles } from './watch/watch-files.ts';

export interface FileSourceOptions {
  /** Files and folders, as `-f` names them, in its order. One that does not exist yet is waited for. */
  readonly roots: readonly string[];
  /** The only namespaces whose objects count; absent or empty: all. Cluster-scoped objects always count. */
  readonly namespaces?: readonly string[];
  /** A save of several files is one batch: 25 ms without a change, 500 ms at most, by default. */
  readonly quiet?: Quiet;
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters?: Counters;
}

const QUIET: Quiet = { idle: 25, ceiling: 500 };

/** Some file systems tell nobody of changes: a network mount, or folders further up that are renamed. In milliseconds. */
const LOOK_AGAIN = 5000;

const NO_COUNTERS: Counters = { count: () => undefined, gauge: () => undefined, observe: () => undefined };

/** Resources from YAML and JSON files, which are watched: `docs/semantics.md`, "Files". */
export function fileSource(options: FileSourceOptions): ResourceSource {
  const { clock, log, namespaces = [], quiet = QUIET, counters = NO_COUNTERS } = options;
  const roots = distinct(options.roots);
  const world = new FileWorld({ roots, namespaces, log, counters });
  const readers = roots.map((path, root) => new RootReader({ root, path, world, clock, counters }));
  return {
    problems: () => world.problems(),
    start: (deliver) => watchFiles({ world, readers, quiet, lookAgain: LOOK_AGAIN, clock, log, deliver }),
  };
}

/** A root that is named twice is one root: its objects are no copies of themselves. */
function distinct(roots: readonly string[]): readonly string[] {
  const absolute = roots.map((path) => resolve(path));
  return roots.filter((_, at) => absolute.indexOf(absolute[at] ?? '') === at);
}
