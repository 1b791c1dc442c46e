import type { Clock, Counters, Logger } from '../../edges.ts';
import type { UnlistedNamespaces } from '../../resources/model.ts';
import { type Diagnostic, DiagnosticRegistry, type Position } from '../diagnostics.ts';
import type { Batch, InputDiagnostic, ResourceChange } from '../model.ts';
import type { FileObjects } from './file-objects.ts';
import { fileKey, type ManifestFile } from './manifest/manifest-file.ts';
import type { Manifest } from './manifest/parse-manifest.ts';
import { ObjectIndex, type TouchedObject } from './object-index.ts';
import type { FileBatch } from './pending-batches.ts';
import { UnreadFiles } from './unread-files.ts';

/** Settings and dependencies of the store. */
export interface ManifestStoreParts {
  /** The arguments of `-f`, as given and in their order. */
  readonly roots: readonly string[];
  readonly log: Logger;
  readonly counters: Counters;
  /** Limits the lines of the log; absent where everything is read once. */
  readonly clock?: Clock;
  /** Called with the number of objects in a file that is valid, before they count. */
  readonly counted?: (file: ManifestFile, objects: number) => void;
}

/** The parts of the last batch beside its changes. */
interface Delivered {
  readonly unlistedNamespaces: UnlistedNamespaces;
  readonly synced: boolean;
}

/**
 * The objects of all files, parsed. Does no I/O and knows no time. A file that becomes invalid, and a root that
 * disappears, keep the objects that they had (`docs/semantics.md`, "Files").
 */
export class ManifestStore {
  readonly #roots: readonly string[];
  readonly #unread = new UnreadFiles();
  readonly #objects = new ObjectIndex(this.#unread);
  readonly #diagnostics: DiagnosticRegistry;
  /** Roots that never existed. */
  readonly #unseen: Set<number>;
  /** Files that were valid once. */
  readonly #valid = new Set<string>();
  /** Files that exist and have no content yet. */
  readonly #awaited = new Set<string>();
  /** Files with a Namespace whose name is unreadable. */
  readonly #nameless = new Set<string>();
  /** Changes that were taken apart from the others. */
  readonly #apart: Pick<FileBatch, 'changes' | 'files'>[] = [];
  readonly #counted: ManifestStoreParts['counted'];
  #delivered: Delivered | undefined;

  constructor({ roots, log, counters, clock, counted }: ManifestStoreParts) {
    this.#roots = roots;
    this.#diagnostics = new DiagnosticRegistry(log, counters, clock);
    this.#counted = counted;
    this.#unseen = new Set(roots.keys());
  }

  /** The root exists. Its files are set one by one. */
  rootFound(root: number, warning?: string): void {
    this.#unseen.delete(root);
    const path = this.#roots[root] ?? '';
    const diagnostic = { severity: 'warning', position: undefined, object: undefined, field: '' } as const;
    const warnings = warning === undefined ? [] : [{ path, diagnostic: { ...diagnostic, message: warning } }];
    this.#diagnostics.replace(`root ${root}`, warnings);
  }

  /** The root does not exist, or cannot be read. `reason` is a clause such as "does not exist". */
  rootMissing(root: number, reason: string): void {
    const path = this.#roots[root] ?? '';
    const consequence = this.#unseen.has(root)
      ? 'nothing is served until it can be read. It is picked up by itself.'
      : 'what it held stays until it is back; to delete the objects, put back an empty one.';
    this.#diagnostics.replace(`root ${root}`, [{ path, diagnostic: fileError(`${path} ${reason}: ${consequence}`) }]);
  }

  /** Some files of the root are not read for want of room, which the message says; undefined: all are. */
  rootCrowded(root: number, message: string | undefined): void {
    const path = this.#roots[root] ?? '';
    if (message === undefined) this.#unread.deleteCrowded(root);
    else this.#unread.addCrowded(root, path);
    const diagnostics = message === undefined ? [] : [{ path, diagnostic: fileError(`${message} ${crowdedText}`) }];
    this.#diagnostics.replace(`room of root ${root}`, diagnostics);
  }

  /** The file exists, and its new content does not count yet. One that is awaited at the start delays `synced`. */
  awaitFile(file: ManifestFile): void {
    this.#awaited.add(fileKey(file));
  }

  /** There is no room for the file, which a diagnostic of its root says: nothing of it counts, and nothing waits. */
  leaveOut(file: ManifestFile): void {
    this.#awaited.delete(fileKey(file));
    this.#unread.leaveOut(file);
  }

  /** The entry is no file. */
  ignoreFile(file: ManifestFile, message: string): void {
    const diagnostic = { severity: 'warning', position: undefined, object: undefined, field: '', message } as const;
    this.#diagnose(file, [diagnostic]);
  }

  /** The file is new, or its content may have changed. */
  setFile(file: ManifestFile, manifest: Manifest): void {
    const key = fileKey(file);
    this.#awaited.delete(key);
    if (manifest.ok) {
      const objects = this.objectsOf(file);
      objects.add(manifest.objects);
      this.setObjects(objects, manifest.diagnostics);
    } else {
      if (!this.#valid.has(key)) this.#unread.add(file, manifest.possible);
      const consequence = this.#valid.has(key)
        ? 'What the file held before stays until it can be read or is deleted.'
        : neverValidText;
      this.#diagnose(file, [fileError(`${manifest.reason} ${consequence}`, manifest.position)]);
    }
  }

  /** Begins to take the objects of a valid file in pieces. They count all at once, by {@link setObjects}. */
  objectsOf(file: ManifestFile): FileObjects {
    return this.#objects.objectsOf(file);
  }

  /** Whether {@link setObjectsInPieces} may begin now. */
  get maySetInPieces(): boolean {
    return this.#objects.mayReplaceInPieces;
  }

  /**
   * The file is valid, and has these objects, which are a change of their own: they are taken in pieces that take some
   * milliseconds each, and count with the last one. Other files may change between them. Who ends it before deletes the
   * file: some of its objects are of the new content then, and the others of the one before.
   */
  *setObjectsInPieces(objects: FileObjects, diagnostics: readonly Diagnostic[]): Generator<void> {
    const changes: ResourceChange[] = [];
    if (objects.hasNameless) this.#nameless.add(objects.key);
    try {
      for (const touched of this.#objects.replaceInPieces(objects)) {
        changes.push(...this.#changesOf(touched));
        this.#diagnostics.logReplaced();
        yield;
      }
      this.#setValid(objects, diagnostics);
    } finally {
      // Also of one that was ended: what was taken is not taken again.
      this.#apart.push({ changes, files: new Set([objects.key]) });
    }
  }

  /** The file is valid, and has these objects. */
  setObjects(objects: FileObjects, diagnostics: readonly Diagnostic[]): void {
    this.#objects.replace(objects);
    this.#setValid(objects, diagnostics);
  }

  /** Returns whether a file has content that counts, also while it has newer content that does not count yet. */
  counts(file: Pick<ManifestFile, 'root' | 'name'>): boolean {
    return this.#valid.has(fileKey(file));
  }

  /** The file was deleted. */
  deleteFile(file: ManifestFile): void {
    this.#valid.delete(fileKey(file));
    this.#unread.delete(file);
    this.#awaited.delete(fileKey(file));
    const objects = this.objectsOf(file);
    this.#objects.replace(objects);
    this.#setDiagnosed(objects, []);
  }

  /**
   * Takes the changes since the last call; undefined: there are none. The first call always returns a batch. Logs the
   * diagnostics that appeared or are gone.
   */
  takeBatch(): Batch | undefined {
    const [first, ...others] = this.takeBatches();
    if (first === undefined) return undefined;
    const { files: _files, ...batch } = first;
    return { ...batch, changes: [first, ...others].flatMap(({ changes }) => changes) };
  }

  /** The same by what changed together, in the order in which it did. None: there is nothing, or it cannot be taken yet. */
  takeBatches(): readonly FileBatch[] {
    const steps = this.takeInSteps();
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
    }
  }

  /** The same, of many objects in steps of some milliseconds each, between which files may change. */
  *takeInSteps(): Generator<void, readonly FileBatch[]> {
    if (this.#unread.takeChanged()) this.#objects.reconsider();
    const together: ResourceChange[] = [];
    const pieces = this.#objects.takeChanges();
    let piece = pieces.next();
    try {
      for (; piece.done !== true; piece = pieces.next()) {
        together.push(...this.#changesOf(piece.value));
        this.#diagnostics.logReplaced();
        yield;
      }
    } finally {
      // Also of what was ended: nothing could be set in pieces any more.
      pieces.return(undefined);
    }
    if (piece.value === undefined) return [];
    const { objects, files } = piece.value;
    together.push(...this.#changesOf(objects));
    const before = this.#delivered;
    const synced = before?.synced === true || (this.#unseen.size === 0 && this.#awaited.size === 0);
    const groups = [...this.#apart.splice(0), { changes: together, files }];
    this.#diagnostics.logChanges();
    if (synced) this.#objects.comeIntoForce();
    const known = synced && this.#unread.size + this.#nameless.size === 0;
    const now: Delivered = { unlistedNamespaces: known ? 'named' : 'unknown', synced };
    this.#delivered = now;
    const isOther = now.unlistedNamespaces !== before?.unlistedNamespaces;
    const changed = groups.filter(({ changes }) => changes.length > 0);
    const isSame = !isOther && now.synced === before.synced;
    if (isSame && (files !== 'all' || changed.length === 0)) return changed.map((group) => ({ ...group, synced }));
    const changes = changed.flatMap((group) => group.changes);
    return [{ changes, synced, files: 'all', ...(isOther && { unlistedNamespaces: now.unlistedNamespaces }) }];
  }

  /** Returns all current diagnostics, by file, line and column. */
  diagnostics(): readonly InputDiagnostic[] {
    return this.#diagnostics.list();
  }

  /** The file and position of an object, by `<Kind> <key>`; undefined for one that is not there. */
  placeOf(object: string): ReturnType<ObjectIndex['placeOf']> {
    return this.#objects.placeOf(object);
  }

  #setValid(objects: FileObjects, diagnostics: readonly Diagnostic[]): void {
    this.#counted?.(objects.file, objects.memory);
    this.#awaited.delete(objects.key);
    this.#unread.delete(objects.file);
    this.#valid.add(objects.key);
    this.#setDiagnosed(objects, diagnostics);
  }

  #setDiagnosed(objects: FileObjects, diagnostics: readonly Diagnostic[]): void {
    if (objects.hasNameless) this.#nameless.add(objects.key);
    else this.#nameless.delete(objects.key);
    this.#diagnose(objects.file, diagnostics);
  }

  #changesOf(objects: readonly TouchedObject[]): readonly ResourceChange[] {
    return objects.flatMap(({ id, change, duplicates }) => {
      this.#diagnostics.replace(
        `object ${id}`,
        duplicates.map(({ file, diagnostic }) => ({ path: file.path, diagnostic })),
      );
      return change === undefined ? [] : [change];
    });
  }

  #diagnose(file: ManifestFile, diagnostics: readonly Diagnostic[]): void {
    this.#diagnostics.replace(
      `file ${fileKey(file)}`,
      diagnostics.map((diagnostic) => ({ path: file.path, diagnostic })),
    );
  }
}

const neverValidText =
  'Nothing in the file counts, nor does what other files say anew about objects that it may define, and no selector matches a namespace without a Namespace object, until it can be read.';

const crowdedText =
  'Files are read in the order of their names. Until all are read, nothing of the others counts, no policy says who signs tokens, and no selector matches a namespace without a Namespace object.';

function fileError(message: string, position?: Position): Diagnostic {
  return { severity: 'error', position, object: undefined, field: '', message };
}
