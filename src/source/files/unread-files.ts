import type { MCPAuthPolicy, Resource } from '../../resources/model.ts';
import { compareFiles, fileKey, type ManifestFile } from './manifest/manifest-file.ts';
import { keptBytes, type PossibleObjects } from './manifest/possible-objects.ts';

/** Files whose words are compared one by one: of more of them, each may define anything. */
const maxCompared = 64;

/** Bytes of the words of all unread files together: beyond it, too, each may define anything. */
const maxWordBytes = 16 * 1024 * 1024;

interface UnreadFile {
  readonly file: ManifestFile;
  readonly possible: PossibleObjects;
  /** Bytes of its words, whether they are kept or not. */
  readonly bytes: number;
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
  #bytes = 0;
  /** The first file that may define anything, in the order of precedence. Null: to be found. */
  #first: UnreadFile | undefined | null = undefined;
  #changed = false;
  /** What decided at the last change; undefined: also words did. */
  #decisive: string | undefined;

  get size(): number {
    return this.#files.size + this.#leftOut.size + this.#crowded.size;
  }

  /** Returns whether there was a change since the last call by which other objects may count. */
  takeChanged(): boolean {
    if (!this.#changed) return false;
    this.#changed = false;
    const first = this.#firstOfAny();
    const decisive = this.#isCompared ? undefined : `${first && fileKey(first.file)} ${this.#withoutRoom()}`;
    const isSame = decisive !== undefined && decisive === this.#decisive;
    this.#decisive = decisive;
    return !isSame;
  }

  add(file: ManifestFile, possible: PossibleObjects): void {
    const key = fileKey(file);
    const before = this.#files.get(key);
    if (before?.possible === possible) return;
    const bytes = keptBytes(possible);
    this.#bytes += bytes - (before?.bytes ?? 0);
    this.#files.set(key, { file, possible, bytes });
    // Forgets what nobody compares. It stays unknown when other files are gone.
    if (!this.#isCompared) this.#files.set(key, { file, possible: 'any', bytes });
    this.#setChanged();
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
    this.#bytes -= this.#files.get(key)?.bytes ?? 0;
    if (this.#files.delete(key)) this.#setChanged();
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
    const first = this.#firstOfAny();
    if (first !== undefined && compareFiles(first.file, file) < 0) return first.file.path;
    return this.#find(
      ({ names }, unread) => compareFiles(unread, file) < 0 && names.get(kind)?.has(metadata.name) === true,
    );
  }

  /** The path of a file that may say who may sign tokens at a Gateway of this policy. */
  signing(policy: MCPAuthPolicy): string | undefined {
    return (
      this.#withoutRoom() ??
      this.#firstOfAny()?.file.path ??
      this.#find(({ signed }) => policy.targetRefs.some((ref) => ref.ok && signed.has(ref.value.name)))
    );
  }

  get #isCompared(): boolean {
    return this.#files.size <= maxCompared && this.#bytes <= maxWordBytes;
  }

  #setChanged(): void {
    this.#changed = true;
    this.#first = null;
  }

  #withoutRoom(): string | undefined {
    const [crowded = this.#leftOut.values().next().value] = this.#crowded.values();
    return crowded;
  }

  #firstOfAny(): UnreadFile | undefined {
    if (this.#first !== null) return this.#first;
    this.#first = undefined;
    for (const unread of this.#files.values()) {
      if (this.#isCompared && unread.possible !== 'any') continue;
      if (this.#first === undefined || compareFiles(unread.file, this.#first.file) < 0) this.#first = unread;
    }
    return this.#first;
  }

  /** The path of a file of whose words this is true: at most {@link maxCompared} are asked. */
  #find(test: (words: Words, file: ManifestFile) => boolean): string | undefined {
    if (!this.#isCompared) return undefined;
    for (const { file, possible } of this.#files.values())
      if (possible !== 'any' && test(possible, file)) return file.path;
    return undefined;
  }
}

type Words = Exclude<PossibleObjects, 'any'>;
