import { setImmediate } from 'node:timers/promises';
import { type Observable, Subject } from 'rxjs';
import type { Clock, Counters } from '../../../edges.ts';
import { limits } from '../manifest/limits.ts';
import { type FileContent, fileKey, type ManifestFile } from '../manifest/manifest-file.ts';
import type { Manifest } from '../manifest/parse-manifest.ts';
import type { ManifestStore } from '../manifest-store.ts';
import { parseInWorker, type WorkerLimits } from './parse-in-worker.ts';

/** Settings and dependencies of the loader. */
export interface ManifestLoaderParts {
  readonly store: ManifestStore;
  /** The only namespaces whose objects count; empty: all. */
  readonly namespaces: readonly string[];
  /** The longest text that is parsed on the main thread, in UTF-16 code units. Default: 8 KiB. */
  readonly maxInline?: number;
  readonly clock: Clock;
  readonly counters: Counters;
}

/**
 * The longest text that is parsed on the main thread of a server. The dearest texts found, mappings and lists
 * of single characters, take 4 µs a unit before the parser is compiled: 32 ms of the event loop.
 */
const defaultMaxInline = 8 * 1024;

/**
 * Milliseconds that a scan waits for a large file, so that files that are saved together are one batch. After that the
 * others are taken over beside it: what they revoke must not wait for a file that takes its whole time.
 */
const maxHeld = 1_000;

/** Large files whose text is held while they wait for the worker: 5 MiB each. More of them hold up the scans. */
const maxWaiting = 4;

const workerLimits: WorkerLimits = { time: limits.parseTime, memory: limits.parseMemory };

interface Job {
  readonly file: ManifestFile;
  readonly text: string;
  /**
   * False: the scan that read the file waits, for {@link maxHeld} at most. True after that, and for a file that did not
   * parse the last time: nothing that other files revoke is held up by one file twice.
   */
  late: boolean;
  readonly done: PromiseWithResolvers<void>;
}

/**
 * Parses files and puts the result into the store. A large one is parsed by a worker thread, one at a time, beside the
 * scans, so that the time that it takes is that file's alone. A later content of the same file wins.
 */
export class ManifestLoader {
  readonly #parts: ManifestLoaderParts;
  /** By file, with the newest text of each. */
  readonly #waiting = new Map<string, Job>();
  /** Files that did not parse. */
  readonly #failed = new Set<string>();
  #running: { readonly key: string; readonly abort: AbortController; readonly done: Promise<void> } | undefined;
  /** The end of the last parse on the main thread. */
  #turn: Promise<void> = Promise.resolve();
  readonly #loaded = new Subject<void>();
  #stopped = false;

  constructor(parts: ManifestLoaderParts) {
    this.#parts = parts;
  }

  /** Emits when the store has a file that {@link ManifestLoader.load} did not wait for. */
  get loaded(): Observable<void> {
    return this.#loaded;
  }

  /** Loads a content. Settles when the store has it, or when it is waited for no longer. */
  async load(file: ManifestFile, content: FileContent): Promise<void> {
    const { store, maxInline = defaultMaxInline } = this.#parts;
    if (content.ok && content.text.length > maxInline) {
      store.awaitFile(file);
      return this.#enqueue({
        file,
        text: content.text,
        late: this.#failed.has(fileKey(file)),
        done: Promise.withResolvers(),
      });
    }
    this.#cancel(file);
    if (content.ok) await this.#parseInline(file, content.text);
    else store.setFile(file, { ...content, position: undefined });
  }

  /** The file was deleted. */
  remove(file: ManifestFile): void {
    this.#cancel(file);
    this.#failed.delete(fileKey(file));
    this.#parts.store.deleteFile(file);
  }

  /** Ends the worker, and starts no more of them. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const { done } of this.#waiting.values()) done.resolve();
    this.#waiting.clear();
    this.#running?.abort.abort();
    await this.#running?.done;
  }

  #cancel(file: ManifestFile): void {
    const key = fileKey(file);
    this.#waiting.get(key)?.done.resolve();
    this.#waiting.delete(key);
    if (this.#running?.key === key) this.#running.abort.abort();
  }

  /** One text per turn of the event loop: files that were read together are many. */
  async #parseInline(file: ManifestFile, text: string): Promise<void> {
    const { store, namespaces } = this.#parts;
    // Loaded with the first file, when the listeners are open already: it is a large part of the time of a start.
    const parser = import('../manifest/parse-manifest.ts');
    const turn = this.#turn.then(() => parser).then(() => setImmediate());
    this.#turn = turn;
    const [{ parseManifest }] = await Promise.all([parser, turn]);
    this.#count();
    store.setFile(file, parseManifest(text, namespaces));
  }

  async #enqueue(job: Job): Promise<void> {
    const key = fileKey(job.file);
    while (!this.#waiting.has(key) && this.#waiting.size >= maxWaiting) await this.#running?.done;
    if (this.#stopped) return;
    this.#waiting.get(key)?.done.resolve();
    this.#waiting.set(key, job);
    this.#runNext();
    if (job.late) return;
    const stopTimer = this.#parts.clock.after(maxHeld, () => {
      job.late = true;
      job.done.resolve();
    });
    await job.done.promise;
    stopTimer();
  }

  #runNext(): void {
    const [next] = this.#waiting;
    if (next === undefined || this.#running !== undefined) return;
    const [key, job] = next;
    this.#waiting.delete(key);
    const abort = new AbortController();
    this.#running = { key, abort, done: this.#run(job, abort.signal) };
  }

  async #run(job: Job, signal: AbortSignal): Promise<void> {
    const { file, text } = job;
    const { store, namespaces, clock } = this.#parts;
    this.#count();
    const manifest: Manifest | undefined = await parseInWorker({ text, namespaces }, workerLimits, clock, signal);
    this.#running = undefined;
    this.#runNext();
    if (manifest !== undefined) {
      if (manifest.ok) this.#failed.delete(fileKey(file));
      else this.#failed.add(fileKey(file));
      store.setFile(file, manifest);
    }
    job.done.resolve();
    if (manifest !== undefined && job.late) this.#loaded.next();
  }

  #count(): void {
    this.#parts.counters.count('gatehouse_source_parses_total');
  }
}
