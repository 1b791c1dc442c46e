import type { KindName, Resource } from '../../resources/model.ts';
import { type Finding, type Position, placeText } from '../finding.ts';
import type { ResourceChange } from '../model.ts';
import { changeOf, sameResource } from '../resource-change.ts';
import { compareFiles, fileKey, type ManifestFile } from './manifest-file.ts';
import type { PlacedObject } from './parse-manifest.ts';
import type { ObjectContent } from './read-object.ts';

/** A place where an object stands. */
interface Copy {
  readonly file: ManifestFile;
  /** Its position among the objects of the file. */
  readonly ordinal: number;
  readonly position: Position;
  readonly content: Exclude<ObjectContent, { readonly type: 'nameless namespace' }>;
}

/** All copies of one object, in the order in which they count. */
interface Slot {
  readonly kind: KindName;
  readonly key: string;
  readonly copies: readonly Copy[];
  /** What was last told of it. */
  readonly told: Resource | undefined;
}

/** A copy that does not count, beside the one that does. */
interface Duplicate {
  readonly file: ManifestFile;
  readonly finding: Finding;
}

/** What became of an object since the last time. */
export interface Settled {
  /** The same for the same object. */
  readonly id: string;
  /** Undefined: the same as before. */
  readonly change: ResourceChange | undefined;
  readonly duplicates: readonly Duplicate[];
}

/**
 * Which objects there are, and which copy of each counts: the first with a readable frame. Costs what the changed files
 * hold.
 */
export class ObjectBook {
  readonly #slots = new Map<string, Slot>();
  readonly #idsByFile = new Map<string, ReadonlySet<string>>();
  readonly #touched = new Set<string>();

  /** From now on the file holds just these. */
  replace(file: ManifestFile, objects: readonly PlacedObject[]): void {
    const from = fileKey(file);
    for (const id of this.#idsByFile.get(from) ?? []) this.#remove(id, from);
    const ids = new Set<string>();
    for (const [ordinal, { content, position }] of objects.entries()) {
      if (content.type !== 'nameless namespace') ids.add(this.#add({ file, ordinal, position, content }));
    }
    if (ids.size > 0) this.#idsByFile.set(from, ids);
    else this.#idsByFile.delete(from);
  }

  /** What is different since the last call. */
  settle(): readonly Settled[] {
    const settled: Settled[] = [];
    for (const id of this.#touched) {
      const slot = this.#slots.get(id);
      if (slot !== undefined) settled.push(this.#settle(id, slot));
    }
    this.#touched.clear();
    return settled;
  }

  #remove(id: string, from: string): void {
    const slot = this.#slots.get(id);
    if (slot === undefined) return;
    this.#slots.set(id, { ...slot, copies: slot.copies.filter(({ file }) => fileKey(file) !== from) });
    this.#touched.add(id);
  }

  #add(copy: Copy): string {
    const { content } = copy;
    const kind = content.type === 'resource' ? content.resource.kind : 'Namespace';
    const id = `${kind} ${content.key}`;
    const slot = this.#slots.get(id) ?? { kind, key: content.key, copies: [], told: undefined };
    this.#slots.set(id, { ...slot, copies: [...slot.copies, copy].sort(compareCopies) });
    this.#touched.add(id);
    return id;
  }

  #settle(id: string, slot: Slot): Settled {
    const resource = counting(slot);
    if (slot.copies.length === 0) this.#slots.delete(id);
    else this.#slots.set(id, { ...slot, told: resource });
    const change = sameResource(slot.told, resource) ? undefined : changeOf(slot.kind, slot.key, resource);
    return { id, change, duplicates: duplicates(id, slot.copies) };
  }
}

function compareCopies(a: Copy, b: Copy): number {
  return compareFiles(a.file, b.file) || a.ordinal - b.ordinal;
}

/** The resource of the first copy with a readable frame. A Namespace that has none has labels that nobody knows. */
function counting({ key, copies }: Slot): Resource | undefined {
  for (const { content } of copies) if (content.type === 'resource') return content.resource;
  if (copies.length === 0) return undefined;
  return { kind: 'Namespace', metadata: { namespace: '', name: key, generation: undefined }, labels: { known: false } };
}

/** Every readable copy after the first, but not the same lines reached a second way. */
function duplicates(id: string, copies: readonly Copy[]): readonly Duplicate[] {
  const [first, ...others] = copies.filter(({ content }) => content.type === 'resource');
  if (first === undefined) return [];
  const message = `The object is already defined at ${placeText(first.file.path, first.position)}, so that this copy does not count: remove one of the two.`;
  return others
    .filter((copy) => copy.file.realPath !== first.file.realPath || copy.ordinal !== first.ordinal)
    .map(({ file, position }) => ({ file, finding: { severity: 'error', position, object: id, field: '', message } }));
}
