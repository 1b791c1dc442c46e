import { setImmediate } from 'node:timers/promises';
import { type Observable, Subject } from 'rxjs';
import type { Clock, Counters, Logger, Stop } from '../../../edges.ts';
import { shortened } from '../../../json/quoted.ts';
import { pause } from '../../../net/timers.ts';
import { LogThrottle } from '../../../rate/log-throttle.ts';
import { inTurns } from '../../../rate/turns.ts';
import { limits } from '../manifest/limits.ts';
import { type FileContent, fileKey, type ManifestFile } from '../manifest/manifest-file.ts';
import type { Manifest, parseManifest } from '../manifest/parse-manifest.ts';
import { possibleObjects } from '../manifest/possible-objects.ts';
import type { ManifestStore } from '../manifest-store.ts';
import { SmallestFirst } from '../smallest-first.ts';
import { type ManifestEnd, type ParseLimits, parseInProcess, unparsed } from './parse-in-process.ts';

/** Settings and dependencies of the loader. */
export interface ManifestLoaderParts {
  readonly store: ManifestStore;
  /** Parses small files, on the main thread. */
  readonly parse: typeof parseManifest;
  /** The only namespaces whose objects count; empty: all. */
  readonly namespaces: readonly string[];
  /** The longest text that is parsed on the main thread, in UTF-16 code units. Default: 8 KiB. */
  readonly maxInline?: number;
  /** True: whoever loads a large file waits until it is parsed, since nothing else goes on. Default: false. */
  readonly holds?: boolean;
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters: Counters;
}

/**
 * The longest text that is parsed on the main thread of a server. The dearest texts found, mappings and lists
 * of single characters, take 4 µs a unit before the parser is compiled: 32 ms of the event loop.
 */
const defaultMaxInline = 8 * 1024;

/**
 * Milliseconds that a scan waits for a large file, so that files that are saved together are one batch: 300 KB are parsed
 * within it. After that the others are taken over beside it: what they revoke must not wait for a file that takes its
 * whole time.
 */
const maxHeld = 250;

/** UTF-16 code units of a text from which on it is long: 0.1 s of its process and more. */
const longText = 64 * 1024;

/** Files of a root whose text is held while they wait for their process, long ones and others. The rest are read when there is room. */
const maxWaiting: WaitingRoom = { long: 2, short: 16 };

/** How many files may wait for their process: long ones, of up to 5 MiB, leave room for others. */
export type WaitingRoom = Readonly<Record<FileLength, number>>;

/** Whether the text of a file is long. */
export type FileLength = 'long' | 'short';

const parseLimits: ParseLimits = { time: limits.parseTime, memory: limits.parseMemory };

/** Milliseconds before a process is asked for again where the operating system started none. */
const processRetry = 5_000;

const noProcess =
  'the operating system starts no process to parse a large file: raise its limits (pids.max, ulimit -u, ulimit -n)';

/** Milliseconds before a file is read again whose process was killed. Its text is not held: memory may be short. */
const killedRetry = 60_000;

const killed =
  'The process that parsed this file was killed, as it is where memory is short; it is tried again in a minute.';

/**
 * Loads the parser of small files: not with the program, because it is a large part of the time until the listeners are
 * open, and not with the first file either: Node may never load a module again that could not be read once, as at
 * the limit of open files, and what the files of that time revoke would stay.
 */
export async function loadParser(): Promise<typeof parseManifest> {
  return (await import('../manifest/parse-manifest.ts')).parseManifest;
}

/** Takes some of the objects of a file. */
type Take = Parameters<typeof parseInProcess>[4];

interface Job {
  readonly file: ManifestFile;
  readonly text: string;
  /**
   * False: the scan that read the file waits, for {@link maxHeld} at most. True after that, once others wait for the scan,
   * behind another large file, and for a file that did not parse the last time: nothing that other files revoke is held
   * up by one file twice.
   */
  late: boolean;
  readonly done: PromiseWithResolvers<void>;
}

interface Running {
  readonly key: string;
  readonly job: Job;
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

/**
 * Parses files and puts the result into the store. A large one is parsed by a process of its own, one at a time and of each root
 * in turn, beside the scans, so that the time that it takes is that file's alone. A later content of the same file wins.
 */
export class ManifestLoader {
  readonly #parts: ManifestLoaderParts;
  /** By file, with the newest text of each. */
  readonly #waiting = new Map<string, Job>();
  readonly #order = new SmallestFirst<Job>(({ text }) => text.length);
  /** Large files that are being read. */
  readonly #reading = new Set<{ readonly file: ManifestFile; readonly length: FileLength }>();
  /** Files that are small, or cannot be read, and wait for their turn, each with the content that counts. */
  readonly #small = new Map<string, FileContent>();
  /** Files whose process was killed, each with what ends the wait for another try; undefined: it is due. */
  readonly #killed = new Map<string, { readonly file: ManifestFile; readonly stop: Stop | undefined }>();
  /** Files that did not parse. */
  readonly #failed = new Set<string>();
  #running: Running | undefined;
  /** The file whose objects are being replaced, by what its process has read of it. */
  #replacing: string | undefined;
  /** The root of the last parse by a process. */
  #lastRoot: number | undefined;
  /** True: there was no room for a file, which is taken up again after the parse that runs. */
  #refused = false;
  readonly #throttle: LogThrottle;
  /** The end of the last parse on the main thread. */
  #turn: Promise<void> = Promise.resolve();
  readonly #loaded = new Subject<void>();
  #stopped = false;

  constructor(parts: ManifestLoaderParts) {
    this.#parts = parts;
    this.#throttle = new LogThrottle(parts.clock, parts.log);
  }

  /**
   * Emits when the store has a file that {@link ManifestLoader.load} did not wait for, when there is room again, and when
   * files have to be read again.
   */
  get loaded(): Observable<void> {
    return this.#loaded;
  }

  /** The number of large files of a root for which there is room. */
  room(root: number): WaitingRoom {
    const waiting = [...this.#waiting.values()].map(({ file, text }) => ({ file, length: lengthOf(text.length) }));
    const ofRoot = [...waiting, ...this.#reading].filter(({ file }) => file.root === root);
    const left = (length: FileLength): number =>
      Math.max(0, maxWaiting[length] - ofRoot.filter((one) => one.length === length).length);
    return { long: left('long'), short: left('short') };
  }

  /** Takes the files of a root that have to be read again: those whose process was killed a minute ago. */
  takeUnparsed(root: number): readonly ManifestFile[] {
    const due = [...this.#killed.values()].filter(({ file, stop }) => file.root === root && stop === undefined);
    for (const { file } of due) this.#killed.delete(fileKey(file));
    return due.map(({ file }) => file);
  }

  /**
   * Reserves room for a file that is about to be read.
   *
   * @param size in bytes
   * @returns what is called when it was read; a length: there is no room for such, {@link loaded} says when to ask again
   */
  reserve(file: ManifestFile, size: number): Stop | FileLength {
    const { maxInline = defaultMaxInline, holds = false } = this.#parts;
    if (holds || size <= maxInline || this.#waiting.has(fileKey(file))) return () => undefined;
    const length = lengthOf(size);
    if (this.room(file.root)[length] > 0) {
      const reading = { file, length };
      this.#reading.add(reading);
      return () => this.#reading.delete(reading);
    }
    this.#refused = true;
    const message = 'many large files changed, and wait to be parsed: all others are taken over meanwhile';
    this.#throttle.failed('', { reason: 'large files are parsed one at a time', message });
    return length;
  }

  /** Others wait for the scans: none waits for a large file any more. */
  release(): void {
    for (const job of [this.#running?.job, ...this.#waiting.values()]) {
      if (job === undefined) continue;
      job.late = true;
      job.done.resolve();
    }
  }

  /**
   * Loads a content for which there is room. Settles when the store has it, or when it is waited for no longer.
   *
   * @param late true: it is not waited for
   */
  async load(file: ManifestFile, content: FileContent, late = false): Promise<void> {
    const { store, maxInline = defaultMaxInline } = this.#parts;
    if (content.ok && content.text.length > maxInline) {
      store.awaitFile(file);
      // One large file in a batch: to translate one takes as long as a turn of the event loop may.
      const isLate = late || this.#running !== undefined || this.#failed.has(fileKey(file));
      return this.#enqueue({ file, text: content.text, late: isLate, done: Promise.withResolvers() });
    }
    this.#cancel(file);
    await this.#setSmall(file, content);
  }

  /** The file was deleted. */
  remove(file: ManifestFile): void {
    this.#cancel(file);
    if (this.#running?.key === fileKey(file)) this.#running.abort.abort();
    this.#failed.delete(fileKey(file));
    this.#parts.store.deleteFile(file);
  }

  /** Ends the process, and starts no more of them. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const { done } of this.#waiting.values()) done.resolve();
    this.#waiting.clear();
    for (const key of [...this.#killed.keys()]) this.#cancelRepeat(key);
    this.#running?.abort.abort();
    await this.#running?.done;
  }

  #cancel(file: ManifestFile): void {
    const key = fileKey(file);
    this.#waiting.get(key)?.done.resolve();
    this.#waiting.delete(key);
    this.#small.delete(key);
    this.#cancelRepeat(key);
    if (this.#running?.key === key && this.#replacing !== key) this.#running.abort.abort();
  }

  /**
   * Sets a content that needs no process, after all of the one that is being replaced: of two contents in part, both would
   * stay if this one cannot be read.
   */
  async #setSmall(file: ManifestFile, content: FileContent): Promise<void> {
    const { store, parse, namespaces } = this.#parts;
    const key = fileKey(file);
    this.#small.set(key, content);
    if (this.#replacing === key) await this.#running?.done;
    if (content.ok) await this.#parserTurn();
    // It was deleted, or has another content.
    if (this.#small.get(key) !== content) return;
    this.#small.delete(key);
    if (!content.ok) return store.setFile(file, { ...content, position: undefined });
    this.#count();
    store.setFile(file, parseSafely(parse, content.text, namespaces));
  }

  /** One text per turn of the event loop: files that were read together are many. */
  #parserTurn(): Promise<void> {
    this.#turn = this.#turn.then(() => setImmediate());
    return this.#turn;
  }

  async #enqueue(job: Job): Promise<void> {
    const key = fileKey(job.file);
    if (this.#stopped) return;
    this.#cancelRepeat(key);
    this.#waiting.get(key)?.done.resolve();
    this.#waiting.set(key, job);
    this.#runNext();
    if (this.#parts.holds === true) return job.done.promise;
    if (job.late) return;
    const stopTimer = this.#parts.clock.after(maxHeld, () => {
      job.late = true;
      job.done.resolve();
    });
    await job.done.promise;
    stopTimer();
  }

  /** Of each root in turn, so that many files of one do not keep those of others waiting, and the shortest first. */
  #runNext(): void {
    if (this.#running !== undefined) return;
    const jobs = [...this.#waiting.values()];
    const ofOthers = jobs.filter(({ file }) => file.root !== this.#lastRoot);
    const job = this.#order.choose(ofOthers.length > 0 ? ofOthers : jobs);
    if (job === undefined) return;
    const key = fileKey(job.file);
    this.#waiting.delete(key);
    this.#lastRoot = job.file.root;
    const abort = new AbortController();
    this.#running = { key, job, abort, done: this.#run(job, abort.signal) };
  }

  async #run(job: Job, signal: AbortSignal): Promise<void> {
    const { file } = job;
    const { store } = this.#parts;
    this.#count();
    const objects = store.objectsOf(file);
    const end = await this.#parse(job, signal, (some) => objects.add(some));
    if (end?.ok === true) {
      this.#failed.delete(fileKey(file));
      if (job.late) await this.#setInTurns(file, () => store.setObjectsInPieces(objects, end.diagnostics), signal);
      else store.setObjects(objects, end.diagnostics);
    } else if (end !== undefined) {
      this.#failed.add(fileKey(file));
      store.setFile(file, end);
    }
    this.#running = undefined;
    this.#runNext();
    job.done.resolve();
    const isAwaited = this.#refused || (end !== undefined && job.late);
    this.#refused = false;
    if (isAwaited) this.#loaded.next();
  }

  /**
   * Parses a text by a process, as soon as there is one: a text that counted as one that does not parse would not be read
   * again, so that what it revokes stayed. The same holds where the process was killed; but the text might be why the
   * machine has no memory left, so that others go first.
   *
   * @returns undefined: it does not count, because it was deleted, or has another content since
   */
  async #parse({ file, text }: Job, signal: AbortSignal, take: Take): Promise<ManifestEnd | undefined> {
    const { namespaces, clock, holds = false } = this.#parts;
    for (;;) {
      const end = await parseInProcess({ text, namespaces }, parseLimits, clock, signal, take);
      if (end === 'killed') {
        if (!holds) this.#repeat(file);
        return unparsed(text, killed);
      }
      if (end !== 'no process') return end;
      if (holds) return unparsed(text, `Not parsed, because ${noProcess}.`);
      this.#throttle.failed('process', { reason: noProcess, message: 'large files are not read, and tried again' });
      await pause(clock, processRetry, signal).catch(() => undefined);
      if (signal.aborted || this.#waiting.has(fileKey(file))) return undefined;
    }
  }

  /** Has a file read again, after a while, unless it has another content by then. */
  #repeat(file: ManifestFile): void {
    const key = fileKey(file);
    if (this.#waiting.has(key)) return;
    const stop = this.#parts.clock.after(killedRetry, () => {
      this.#killed.set(key, { file, stop: undefined });
      this.#loaded.next();
    });
    this.#killed.set(key, { file, stop });
  }

  #cancelRepeat(key: string): void {
    this.#killed.get(key)?.stop?.();
    this.#killed.delete(key);
  }

  /** @param signal ends it before it begins, or because the file is deleted */
  async #setInTurns(file: ManifestFile, set: () => Generator<void>, signal: AbortSignal): Promise<void> {
    const { store, clock } = this.#parts;
    while (!store.maySetInPieces) {
      await setImmediate();
      if (signal.aborted) return;
    }
    const steps = set();
    this.#replacing = fileKey(file);
    const end = (): void => void steps.return(undefined);
    signal.addEventListener('abort', end);
    await inTurns(steps, clock, () => setImmediate());
    signal.removeEventListener('abort', end);
    this.#replacing = undefined;
  }

  #count(): void {
    this.#parts.counters.count('gatehouse_source_parses_total');
  }
}

/** An error that no text should cause makes this text one that does not parse: the files after it are read all the same. */
function parseSafely(parse: typeof parseManifest, text: string, namespaces: readonly string[]): Manifest {
  try {
    return parse(text, namespaces);
  } catch (error) {
    const reason = `To parse the file fails (${shortened(String(error))}).`;
    return { ok: false, position: undefined, reason, possible: possibleObjects(text) };
  }
}

function lengthOf(size: number): FileLength {
  return size > longText ? 'long' : 'short';
}
