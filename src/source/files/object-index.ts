import type { KindName, Resource } from '../../resources/model.ts';
import { type Diagnostic, type Position, placeText } from '../diagnostics.ts';
import type { ResourceChange } from '../model.ts';
import { changeOf, sameResource } from '../resource-change.ts';
import { compareFiles, fileKey, type ManifestFile } from './manifest/manifest-file.ts';
import type { PlacedObject } from './manifest/parse-manifest.ts';
import type { ObjectContent } from './manifest/read-object.ts';

/** One definition of an object. */
interface Copy {
  readonly file: ManifestFile;
  /** Index among the objects of the file. */
  readonly ordinal: number;
  readonly position: Position;
  readonly content: Exclude<ObjectContent, { readonly type: 'nameless namespace' }>;
}

/** All copies of one object, in order of precedence. */
interface Entry {
  readonly kind: KindName;
  readonly key: string;
  readonly copies: readonly Copy[];
  /** The resource of the last change. */
  readonly delivered: Resource | undefined;
}

/** A copy that does not count, beside the one that does. */
interface Duplicate {
  readonly file: ManifestFile;
  readonly diagnostic: Diagnostic;
}

/** An object whose files changed. */
export interface TouchedObject {
  /** `<Kind> <key>`. */
  readonly id: string;
  /** Undefined: the resource is unchanged. */
  readonly change: ResourceChange | undefined;
  readonly duplicates: readonly Duplicate[];
}

/**
 * Objects by kind and key, with their copies: the first copy with a readable frame counts. An update costs in
 * proportion to the objects of the changed files.
 */
export class ObjectIndex {
  readonly #entries = new Map<string, Entry>();
  readonly #idsByFile = new Map<string, ReadonlySet<string>>();
  readonly #touched = new Set<string>();

  /** Replaces all objects of the file. */
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

  /** Takes the objects whose files changed since the last call. */
  takeChanges(): readonly TouchedObject[] {
    const objects: TouchedObject[] = [];
    for (const id of this.#touched) {
      const entry = this.#entries.get(id);
      if (entry !== undefined) objects.push(this.#take(id, entry));
    }
    this.#touched.clear();
    return objects;
  }

  /** The file and position of the copy that counts; undefined for an object that is not there. */
  placeOf(id: string): { readonly file: ManifestFile; readonly position: Position } | undefined {
    return this.#entries.get(id)?.copies.find(({ content }) => content.type === 'resource');
  }

  #remove(id: string, from: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.set(id, { ...entry, copies: entry.copies.filter(({ file }) => fileKey(file) !== from) });
    this.#touched.add(id);
  }

  #add(copy: Copy): string {
    const { content } = copy;
    const kind = content.type === 'resource' ? content.resource.kind : 'Namespace';
    const id = `${kind} ${content.key}`;
    const entry = this.#entries.get(id) ?? { kind, key: content.key, copies: [], delivered: undefined };
    this.#entries.set(id, { ...entry, copies: [...entry.copies, copy].sort(compareCopies) });
    this.#touched.add(id);
    return id;
  }

  #take(id: string, entry: Entry): TouchedObject {
    const resource = effectiveResource(entry);
    if (entry.copies.length === 0) this.#entries.delete(id);
    else this.#entries.set(id, { ...entry, delivered: resource });
    const same = sameResource(entry.delivered, resource);
    const change = same ? undefined : changeOf(entry.kind, entry.key, resource);
    return { id, change, duplicates: duplicates(id, entry.copies) };
  }
}

function compareCopies(a: Copy, b: Copy): number {
  return compareFiles(a.file, b.file) || a.ordinal - b.ordinal;
}

/** The resource of the first copy with a readable frame. A Namespace with none has unknown labels. */
function effectiveResource({ key, copies }: Entry): Resource | undefined {
  for (const { content } of copies) if (content.type === 'resource') return content.resource;
  if (copies.length === 0) return undefined;
  return { kind: 'Namespace', metadata: { namespace: '', name: key, generation: undefined }, labels: { known: false } };
}

/** Returns every readable copy after the first, except the same lines reached by another path. */
function duplicates(id: string, copies: readonly Copy[]): readonly Duplicate[] {
  const [first, ...others] = copies.filter(({ content }) => content.type === 'resource');
  if (first === undefined) return [];
  const message = `The object is already defined at ${placeText(first.file.path, first.position)}, so that this copy does not count: remove one of the two.`;
  return others
    .filter((copy) => copy.file.realPath !== first.file.realPath || copy.ordinal !== first.ordinal)
    .map(({ file, position }) => ({
      file,
      diagnostic: { severity: 'error', position, object: id, field: '', message },
    }));
}
