import { readdir } from 'node:fs/promises';
import { join, parse, resolve, sep } from 'node:path';
import type { Clock, Counters } from '../../../edges.ts';
import { errorCode } from './fs-error.ts';
import type { FileWorld } from '../manifest-store.ts';
import { followLinks, type Trail, type Waypoint } from './follow-links.ts';
import type { ManifestFile } from '../manifest/manifest-file.ts';
import { type Fingerprint, fingerprintOf, readManifest } from './read-file.ts';

/** What to look at: everything, or the entries of the folder with these names. */
export type Scope = 'all' | ReadonlySet<string>;

/** A place where a change may concern a root. */
export interface Concern {
  readonly folder: string;
  /** Undefined: any manifest in the folder, which is the root. */
  readonly name: string | undefined;
  /** The entry to look at then; undefined: look at all. */
  readonly entry: string | undefined;
}

export interface RootReaderOptions {
  /** Its position among those of `-f`. */
  readonly root: number;
  /** As given. */
  readonly path: string;
  readonly world: FileWorld;
  readonly clock: Clock;
  readonly counters: Counters;
}

interface Known {
  readonly file: ManifestFile;
  readonly fingerprint: Fingerprint | undefined;
}

type Found = Extract<Trail, { readonly end: 'found' }>;

/** Files looked at together: enough to keep the disk busy, few enough to hold in memory. */
const TOGETHER = 8;

/** Whether a folder's entry of that name is looked at: as `kubectl apply -f`, and no hidden ones. */
export function isManifestName(name: string): boolean {
  return /^[^.].*\.(?:yaml|yml|json)$/s.test(name);
}

/** Looks at one root of `-f`, and tells the world what is there and what is different. Reads only files that changed. */
export class RootReader {
  readonly #options: RootReaderOptions;
  readonly #absolute: string;
  readonly #known = new Map<string, Known>();
  #waypoints: readonly Waypoint[] = [];
  /** Of the entries that are links, dangling ones too. */
  readonly #linkWaypoints = new Map<string, readonly Waypoint[]>();
  /** The folder that the root is, or was last. */
  #folder: string | undefined;

  constructor(options: RootReaderOptions) {
    this.#options = options;
    this.#absolute = resolve(options.path);
  }

  /** Where changes concern this root, as far as the last look could tell. */
  *concerns(): Generator<Concern> {
    for (const { folder, name } of this.#waypoints) yield { folder, name, entry: undefined };
    if (this.#folder !== undefined) yield { folder: this.#folder, name: undefined, entry: undefined };
    for (const [entry, waypoints] of this.#linkWaypoints) {
      for (const { folder, name } of waypoints) yield { folder, name, entry };
    }
  }

  /** What cannot be looked at is a problem of the world; nothing is thrown. */
  async look(scope: Scope): Promise<void> {
    const { root: drive } = parse(this.#absolute);
    const trail = await followLinks(drive, this.#absolute);
    this.#waypoints = trail.waypoints;
    if (trail.end === 'absent') return this.#missing('does not exist');
    if (trail.end === 'failed') return this.#missing(`cannot be looked at (${trail.code})`);
    if (trail.stats.isFile()) return this.#lookAtFile(trail);
    if (trail.stats.isDirectory()) return this.#lookAtFolder(trail, scope);
    return this.#missing('is neither a file nor a folder');
  }

  async #lookAtFile(trail: Found): Promise<void> {
    if (!(await this.#read('', trail))) return this.#missing('does not exist');
    this.#options.world.rootSeen(this.#options.root);
    this.#folder = undefined;
    this.#keepOnly(new Set(['']));
  }

  async #lookAtFolder({ realPath }: Found, scope: Scope): Promise<void> {
    let names = scope;
    try {
      if (names === 'all') names = new Set((await readdir(realPath)).filter(isManifestName));
    } catch (error) {
      return this.#missing(`cannot be listed (${errorCode(error)})`);
    }
    this.#folder = realPath;
    this.#options.world.rootSeen(this.#options.root);
    if (scope === 'all') this.#keepOnly(names);
    const waiting = [...names];
    while (waiting.length > 0) {
      await Promise.all(waiting.splice(0, TOGETHER).map((name) => this.#lookAtEntry(realPath, name)));
    }
  }

  async #lookAtEntry(folder: string, name: string): Promise<void> {
    const trail = await followLinks(folder, name);
    if (trail.waypoints.length > 1) this.#linkWaypoints.set(name, trail.waypoints);
    else this.#linkWaypoints.delete(name);
    if (trail.end === 'failed') {
      const file = this.#file(name, join(folder, name));
      this.#known.set(name, { file, fingerprint: undefined });
      this.#options.world.fileRead(file, { ok: false, reason: `The file cannot be read (${trail.code}).` });
    } else if (trail.end === 'absent' || !trail.stats.isFile() || !(await this.#read(name, trail))) this.#gone(name);
  }

  /** Whether the file is there. */
  async #read(name: string, { realPath, stats }: Found): Promise<boolean> {
    const { world, clock, counters } = this.#options;
    const known = this.#known.get(name);
    if (known?.fingerprint === fingerprintOf(stats) && known.file.realPath === realPath) return true;
    counters.count('gatehouse_source_reads_total');
    const state = await readManifest(realPath, clock);
    if (!state.there) return false;
    const file = this.#file(name, realPath);
    this.#known.set(name, { file, fingerprint: state.fingerprint });
    world.fileRead(file, state.reading);
    return true;
  }

  #file(name: string, realPath: string): ManifestFile {
    const { root, path } = this.#options;
    const entry = path.endsWith(sep) ? `${path}${name}` : `${path}${sep}${name}`;
    return { root, name, path: name === '' ? path : entry, realPath };
  }

  #keepOnly(names: ReadonlySet<string>): void {
    for (const name of this.#known.keys()) if (!names.has(name)) this.#gone(name);
    for (const name of this.#linkWaypoints.keys()) if (!names.has(name)) this.#linkWaypoints.delete(name);
  }

  #gone(name: string): void {
    const known = this.#known.get(name);
    if (known === undefined) return;
    this.#known.delete(name);
    this.#options.world.fileGone(known.file);
  }

  #missing(reason: string): void {
    this.#folder = undefined;
    this.#options.world.rootMissing(this.#options.root, reason);
  }
}
