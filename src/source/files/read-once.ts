import { setTimeout } from 'node:timers/promises';
import type { Clock, Counters, Logger } from '../../edges.ts';
import type { Batch, InputDiagnostic, ResourceChange } from '../model.ts';
import { type ObjectField, placesOf } from './field-locator.ts';
import { limits } from './manifest/limits.ts';
import type { FileContent, ManifestFile } from './manifest/manifest-file.ts';
import { ManifestStore } from './manifest-store.ts';
import { loadParser, ManifestLoader } from './parsing/manifest-loader.ts';
import { Arrivals } from './watch/arrivals.ts';
import { ManifestBudget } from './watch/manifest-budget.ts';
import { readText } from './watch/read-file.ts';
import { RootScanner } from './watch/root-scanner.ts';
import { wholeRoot } from './watch/scan-queue.ts';
import { WatchPlan } from './watch/watch-plan.ts';

/** What is read once, and how. */
export interface ReadOnceOptions {
  /** Files and folders, or `-` for standard input, in order of precedence. */
  readonly roots: readonly string[];
  /** The only namespaces whose objects count; empty: all. */
  readonly namespaces: readonly string[];
  /** Reads standard input; called at most once. */
  readonly readStdin: () => Promise<string>;
  readonly clock: Clock;
}

/** The objects of some files, at one time. */
export interface FilesOnce {
  readonly batch: Batch;
  readonly diagnostics: readonly InputDiagnostic[];
  /** Finds the place of each field, `<file>:<line>:<column>`; undefined for an object that is in no file. */
  placesOf(fields: readonly ObjectField[]): Promise<readonly (string | undefined)[]>;
  /** The texts that no file has, by the path in their places. */
  readonly texts: ReadonlyMap<string, string>;
}

/** The path of standard input in places. */
const stdinPath = '<stdin>';

const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};
const noCounters: Counters = { count: () => undefined, gauge: () => undefined, observe: () => undefined };

/**
 * The longest text that is parsed on this thread, in UTF-16 code units: no other work waits for it, and even the dearest
 * text of this length takes 2 s, less than a process may take. A process starts slowly: for ten files of this length they
 * take twice the time.
 */
const maxInline = 512 * 1024;

/** Times that a file is read while it is being written. */
const attempts = 50;

/** Milliseconds between them. */
const interval = 20;

/**
 * Reads files once, as {@link fileSource} does at its start: without watching them, and without waiting for them to stand
 * still. A file that is being written meanwhile is read again; when that does not end, the batch is not synced.
 */
export async function readFilesOnce({ roots, namespaces, readStdin, clock }: ReadOnceOptions): Promise<FilesOnce> {
  const budget = new ManifestBudget();
  const counted = ({ root, name }: ManifestFile, objects: number): void => budget.setObjects(root, name, objects);
  const store = new ManifestStore({ roots, log: silent, counters: noCounters, counted });
  const edges = { clock, log: silent, counters: noCounters };
  const parse = await loadParser();
  const loader = new ManifestLoader({ store, parse, namespaces, maxInline, holds: true, ...edges });
  const arrivals = new Arrivals();
  const texts = new Map<string, string>();
  const scanners: RootScanner[] = [];
  const plan = new WatchPlan();
  const common = { store, loader, arrivals, budget, plan, settle: 0, clock, counters: noCounters };
  for (const [root, path] of roots.entries()) {
    if (path !== '-') {
      scanners.push(new RootScanner({ root, path, ...common }));
      continue;
    }
    store.rootFound(root);
    if (texts.has(stdinPath)) continue;
    texts.set(stdinPath, await readStdin());
    await loader.load(stdinFile(root), contentOf(texts.get(stdinPath) ?? ''));
  }
  const changes: ResourceChange[] = [];
  let batch: Batch = { changes, synced: false };
  for (let attempt = 0; attempt < attempts && !batch.synced; attempt += 1) {
    if (attempt > 0) await setTimeout(interval);
    for (const scanner of scanners) await scanner.scan(wholeRoot, () => false);
    for (const scanner of scanners) await scanner.fit(() => false);
    const next = store.takeBatch();
    changes.push(...(next?.changes ?? []));
    batch = { ...batch, ...next, changes };
  }
  await loader.stop();
  const read = async ({ path, realPath }: ManifestFile): Promise<string | undefined> =>
    texts.get(path) ?? readText(realPath, clock);
  return { batch, diagnostics: store.diagnostics(), placesOf: (fields) => placesOf(store, fields, read), texts };
}

function stdinFile(root: number): ManifestFile {
  return { root, name: '', path: stdinPath, realPath: stdinPath };
}

function contentOf(text: string): FileContent {
  if (Buffer.byteLength(text) <= limits.bytes) return { ok: true, text: text.replace(/^\uFEFF/, '') };
  const reason = `Standard input has more than ${limits.bytes} bytes (5 MiB): give files.`;
  return { ok: false, reason, possible: 'any' };
}
