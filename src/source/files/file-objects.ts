import type { Resource } from '../../resources/model.ts';
import type { Position } from '../diagnostics.ts';
import { sameResource } from '../resource-change.ts';
import { memoryOf } from './manifest/limits.ts';
import { fileKey, type ManifestFile } from './manifest/manifest-file.ts';
import type { PlacedObject } from './manifest/parse-manifest.ts';
import type { ObjectContent } from './manifest/read-object.ts';

/** One definition of an object. */
export interface Copy {
  readonly file: ManifestFile;
  /** Identifies the file. */
  readonly from: string;
  /** Index among the objects of the file. */
  readonly ordinal: number;
  readonly position: Position;
  readonly content: Exclude<ObjectContent, { readonly type: 'nameless namespace' }>;
  /** What the object was when it was compared, and found to be another; undefined: it was the same, or there was none. */
  readonly changedFrom: Resource | undefined;
}

/**
 * Copies of an object that a file may have, beside a first readable one. Others are not told of before these are removed: a
 * file can have one object 20,000 times.
 */
const maxCopies = 10;

/**
 * The objects of one content of a file, which may come in pieces: none of them counts before {@link ObjectIndex.replace}
 * gets all of them, which has little left to do then.
 */
export class FileObjects {
  readonly file: ManifestFile;
  /** Identifies the file. */
  readonly key: string;
  /** By `<Kind> <key>`, each in the order of the file. */
  readonly copies: ReadonlyMap<string, readonly Copy[]>;
  readonly #copies = new Map<string, Copy[]>();
  readonly #resourceOf: (id: string) => Resource | undefined;
  #count = 0;
  #memory = 0;
  #hasNameless = false;

  /** @param resourceOf returns what an object is now: one that stays the same stays the same reference */
  constructor(file: ManifestFile, resourceOf: (id: string) => Resource | undefined) {
    this.file = file;
    this.key = fileKey(file);
    this.copies = this.#copies;
    this.#resourceOf = resourceOf;
  }

  /** True if a Namespace has no readable name. */
  get hasNameless(): boolean {
    return this.#hasNameless;
  }

  /** As how many objects of 1 KiB they count in all files together. */
  get memory(): number {
    return this.#memory;
  }

  /** Takes the next ones. */
  add(objects: readonly PlacedObject[]): void {
    for (const { content, position } of objects) {
      if (content.type === 'nameless namespace') this.#hasNameless = true;
      else this.#add(content, position);
      this.#count += 1;
      this.#memory += memoryOf(content);
    }
  }

  #add(content: Copy['content'], position: Position): void {
    const id = `${content.type === 'resource' ? content.resource.kind : 'Namespace'} ${content.key}`;
    const copies = this.#copies.get(id) ?? [];
    if (copies.length >= maxCopies && (content.type !== 'resource' || copies.some(isReadable))) return;
    const [file, from, ordinal] = [this.file, this.key, this.#count];
    copies.push({ file, from, ordinal, position, ...this.#compared(id, content) });
    this.#copies.set(id, copies);
  }

  #compared(id: string, content: Copy['content']): Pick<Copy, 'content' | 'changedFrom'> {
    const before = content.type === 'resource' ? this.#resourceOf(id) : undefined;
    if (content.type !== 'resource' || before === undefined) return { content, changedFrom: undefined };
    if (!sameResource(before, content.resource)) return { content, changedFrom: before };
    return { content: { ...content, resource: before }, changedFrom: undefined };
  }
}

/** Returns whether the copy says what the object is. */
export function isReadable({ content }: Copy): boolean {
  return content.type === 'resource';
}
