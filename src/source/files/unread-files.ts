import type { MCPAuthPolicy, Resource } from '../../resources/model.ts';
import { compareFiles, fileKey, type ManifestFile } from './manifest/manifest-file.ts';
import type { PossibleObjects } from './manifest/possible-objects.ts';

/** Files whose words are compared one by one: of more of them, each may define anything. */
const maxCompared = 64;

interface UnreadFile {
  readonly file: ManifestFile;
  readonly possible: PossibleObjects;
}

/**
 * The files that exist and whose content was never read. What they define may narrow what others allow: the first
 * definition of an object counts, and the first policy of a Gateway says who may sign tokens there.
 */
export class UnreadFiles {
  readonly #files = new Map<string, UnreadFile>();
  /** Files without room. They come after all that are read, so that they only hide signers and labels. */
  readonly #leftOut = new Map<string, string>();
  /** Roots with such files, also with some that are not even listed. */
  readonly #crowded = new Map<number, string>();
  #changed = false;

  get size(): number {
    return this.#files.size + this.#leftOut.size + this.#crowded.size;
  }

  /** Returns whether there was a change since the last call. */
  takeChanged(): boolean {
    const changed = this.#changed;
    this.#changed = false;
    return changed;
  }

  add(file: ManifestFile, possible: PossibleObjects): void {
    const key = fileKey(file);
    const before = this.#files.get(key);
    const kept = before !== undefined || this.#files.size < maxCompared ? possible : 'any';
    if (before?.possible === kept) return;
    this.#files.set(key, { file, possible: kept });
    this.#changed = true;
  }

  /** There is no room for a file. */
  leaveOut(file: ManifestFile): void {
    const key = fileKey(file);
    if (this.#leftOut.has(key)) return;
    this.#leftOut.set(key, file.path);
    this.#changed = true;
  }

  /** The file was read, or is gone. */
  delete(file: ManifestFile): void {
    const key = fileKey(file);
    if (this.#files.delete(key)) this.#changed = true;
    if (this.#leftOut.delete(key)) this.#changed = true;
  }

  /** Some files of a root are not read for want of room. */
  addCrowded(root: number, path: string): void {
    if (this.#crowded.has(root)) return;
    this.#crowded.set(root, path);
    this.#changed = true;
  }

  deleteCrowded(root: number): void {
    if (this.#crowded.delete(root)) this.#changed = true;
  }

  /** The path of a file before this one that may define the same object. */
  before(file: ManifestFile, { kind, metadata }: Resource): string | undefined {
    return this.#find(
      (unread) =>
        compareFiles(unread.file, file) < 0 &&
        (unread.possible === 'any' || unread.possible.names.get(kind)?.has(metadata.name) === true),
    );
  }

  /** The path of a file that may say who may sign tokens at a Gateway of this policy. */
  signing(policy: MCPAuthPolicy): string | undefined {
    const [crowded = this.#leftOut.values().next().value] = this.#crowded.values();
    if (crowded !== undefined) return crowded;
    return this.#find(
      ({ possible }) =>
        possible === 'any' || policy.targetRefs.some((ref) => ref.ok && possible.signed.has(ref.value.name)),
    );
  }

  #find(test: (unread: UnreadFile) => boolean): string | undefined {
    const isCompared = this.#files.size <= maxCompared;
    for (const { file, possible } of this.#files.values()) {
      if (test({ file, possible: isCompared ? possible : 'any' })) return file.path;
    }
    return undefined;
  }
}
