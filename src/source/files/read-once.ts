import type { Clock, Counters, Logger } from '../../edges.ts';
import type { Batch, InputDiagnostic } from '../model.ts';
import { type ObjectField, placesOf } from './field-locator.ts';
import { limits } from './manifest/limits.ts';
import type { FileContent, ManifestFile } from './manifest/manifest-file.ts';
import { ManifestStore } from './manifest-store.ts';
import { readManifestFile } from './watch/read-file.ts';
import { RootScanner } from './watch/root-scanner.ts';

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

/** Reads files once, as {@link fileSource} does at its start: without watching them, and without waiting. */
export async function readFilesOnce({ roots, namespaces, readStdin, clock }: ReadOnceOptions): Promise<FilesOnce> {
  const store = new ManifestStore({ roots, namespaces, log: silent, counters: noCounters });
  const texts = new Map<string, string>();
  for (const [root, path] of roots.entries()) {
    if (path !== '-') await new RootScanner({ root, path, store, clock, counters: noCounters }).scan('all');
    else if (!texts.has(stdinPath)) {
      texts.set(stdinPath, await readStdin());
      store.rootFound(root);
      store.setFile(stdinFile(root), contentOf(texts.get(stdinPath) ?? ''));
    } else store.rootFound(root);
  }
  const batch = store.takeBatch() ?? { changes: [], synced: true };
  const read = async ({ path, realPath }: ManifestFile): Promise<string | undefined> => {
    const text = texts.get(path);
    return text ?? readText(realPath, clock);
  };
  return { batch, diagnostics: store.diagnostics(), placesOf: (fields) => placesOf(store, fields, read), texts };
}

/** Reads the text of a file again; undefined when it cannot be read. */
export async function readText(realPath: string, clock: Clock): Promise<string | undefined> {
  const state = await readManifestFile(realPath, clock);
  return state.present && state.content.ok ? state.content.text : undefined;
}

function stdinFile(root: number): ManifestFile {
  return { root, name: '', path: stdinPath, realPath: stdinPath };
}

function contentOf(text: string): FileContent {
  if (Buffer.byteLength(text) <= limits.bytes) return { ok: true, text: text.replace(/^\uFEFF/, '') };
  return { ok: false, reason: `Standard input has more than ${limits.bytes} bytes (5 MiB): give files.` };
}
