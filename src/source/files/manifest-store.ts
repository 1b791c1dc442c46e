import type { Counters, Logger } from '../../edges.ts';
import type { Finding, Position } from '../finding.ts';
import type { Batch, InputProblem, ResourceChange, UnlistedNamespaces } from '../model.ts';
import { ProblemBook } from '../diagnostics.ts';
import { fileKey, type ManifestFile, type Reading } from './manifest/manifest-file.ts';
import { ObjectBook } from './object-index.ts';
import { type Manifest, type PlacedObject, parseManifest } from './manifest/parse-manifest.ts';

export interface FileWorldOptions {
  /** What `-f` names, as given; in its order. */
  readonly roots: readonly string[];
  /** The only namespaces whose objects count; empty: all. */
  readonly namespaces: readonly string[];
  readonly log: Logger;
  readonly counters: Counters;
}

/** What a batch last said beside its changes. */
interface Told {
  readonly unlistedNamespaces: UnlistedNamespaces;
  readonly synced: boolean;
}

/**
 * What the files say, as told by whoever looks at them; it does no I/O and knows no time. The only memory is that of
 * `docs/semantics.md`, "Files": a file that cannot be parsed keeps what it held, and so does a root that is gone.
 */
export class FileWorld {
  readonly #roots: readonly string[];
  readonly #namespaces: readonly string[];
  readonly #counters: Counters;
  readonly #objects = new ObjectBook();
  readonly #problems: ProblemBook;
  /** Roots that were never there. */
  readonly #unseen: Set<number>;
  readonly #parsed = new Set<string>();
  readonly #neverParsed = new Set<string>();
  /** Files with a Namespace whose name cannot be read. */
  readonly #nameless = new Set<string>();
  #told: Told | undefined;

  constructor({ roots, namespaces, log, counters }: FileWorldOptions) {
    this.#roots = roots;
    this.#namespaces = namespaces;
    this.#counters = counters;
    this.#problems = new ProblemBook(log, counters);
    this.#unseen = new Set(roots.keys());
  }

  /** The root is there. What is in it is told file by file. */
  rootSeen(root: number): void {
    this.#unseen.delete(root);
    this.#problems.replace(`root ${root}`, []);
  }

  /** The root is not there, or cannot be looked at. `reason` is a clause such as "does not exist". */
  rootMissing(root: number, reason: string): void {
    const path = this.#roots[root] ?? '';
    const consequence = this.#unseen.has(root)
      ? 'nothing is served until it can be read. It is picked up by itself.'
      : 'what it held stays until it is back; to delete the objects, put back an empty one.';
    this.#problems.replace(`root ${root}`, [{ path, finding: fileError(`${path} ${reason}: ${consequence}`) }]);
  }

  /** The file is new, or may say something else than before. */
  fileRead(file: ManifestFile, reading: Reading): void {
    const key = fileKey(file);
    const manifest: Manifest = reading.ok ? this.#parse(reading.text) : { ...reading, position: undefined };
    if (manifest.ok) {
      this.#neverParsed.delete(key);
      this.#parsed.add(key);
      this.#hold(file, manifest.objects, manifest.findings);
    } else {
      if (!this.#parsed.has(key)) this.#neverParsed.add(key);
      const consequence = this.#parsed.has(key)
        ? 'What the file held before stays until it can be read or is deleted.'
        : 'Nothing in the file counts, and no selector matches a namespace without a Namespace object, until it can be read.';
      this.#report(file, [fileError(`${manifest.reason} ${consequence}`, manifest.position)]);
    }
  }

  /** The file is no longer in its folder. */
  fileGone(file: ManifestFile): void {
    this.#parsed.delete(fileKey(file));
    this.#neverParsed.delete(fileKey(file));
    this.#hold(file, [], []);
  }

  /** What is different since the last call; the first always has something to tell. Logs the problems that came and went. */
  settle(): Batch | undefined {
    const changes: ResourceChange[] = [];
    for (const { id, change, duplicates } of this.#objects.settle()) {
      if (change !== undefined) changes.push(change);
      this.#problems.replace(
        `object ${id}`,
        duplicates.map(({ file, finding }) => ({ path: file.path, finding })),
      );
    }
    this.#problems.settle();
    const synced = this.#unseen.size === 0;
    const known = synced && this.#neverParsed.size === 0 && this.#nameless.size === 0;
    const told = this.#told;
    const now: Told = { unlistedNamespaces: known ? 'named' : 'unknown', synced };
    this.#told = now;
    if (now.unlistedNamespaces !== told?.unlistedNamespaces) return { changes, ...now };
    return changes.length > 0 || now.synced !== told.synced ? { changes, synced } : undefined;
  }

  /** Everything that is wrong right now, by file, line and column. */
  problems(): readonly InputProblem[] {
    return this.#problems.list();
  }

  #parse(text: string): Manifest {
    this.#counters.count('gatehouse_source_parses_total');
    return parseManifest(text, this.#namespaces);
  }

  #hold(file: ManifestFile, objects: readonly PlacedObject[], findings: readonly Finding[]): void {
    const nameless = objects.some(({ content }) => content.type === 'nameless namespace');
    if (nameless) this.#nameless.add(fileKey(file));
    else this.#nameless.delete(fileKey(file));
    this.#objects.replace(file, objects);
    this.#report(file, findings);
  }

  #report(file: ManifestFile, findings: readonly Finding[]): void {
    this.#problems.replace(
      `file ${fileKey(file)}`,
      findings.map((finding) => ({ path: file.path, finding })),
    );
  }
}

function fileError(message: string, position?: Position): Finding {
  return { severity: 'error', position, object: undefined, field: '', message };
}
