import type { KindName, MCPAuthPolicy, Resource } from '../../resources/model.ts';
import { divide, largestPart } from '../batch-parts.ts';
import { type Diagnostic, type Position, placeText } from '../diagnostics.ts';
import type { ResourceChange } from '../model.ts';
import { changeOf, sameResource } from '../resource-change.ts';
import { type Copy, FileObjects, isReadable } from './file-objects.ts';
import { compareFiles, type ManifestFile } from './manifest/manifest-file.ts';
import type { UnreadFiles } from './unread-files.ts';

/** All copies of one object, in order of precedence. */
interface Entry {
  readonly kind: KindName;
  readonly key: string;
  readonly copies: readonly Copy[];
  /** The resource of the last change. */
  readonly delivered: Resource | undefined;
  /** The file of the copy that counts; undefined: none does. */
  readonly source: string | undefined;
}

/** What counts of an object, and why less of it does than its files say. */
interface Effective {
  readonly resource: Resource | undefined;
  readonly source: string | undefined;
  readonly held: Held | undefined;
}

interface Held {
  readonly copy: Copy;
  readonly message: string;
}

/** A copy that does not count, and why. */
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

/** Objects that changed together. */
export interface TouchedObjects {
  readonly objects: readonly TouchedObject[];
  /** Identifies the files that changed; `all`: objects of others changed with them, or what was taken apart. */
  readonly files: ReadonlySet<string> | 'all';
}

/**
 * Objects by kind and key, with their copies: the first copy with a readable frame counts. An update costs in
 * proportion to the objects of the changed files.
 */
export class ObjectIndex {
  readonly #entries = new Map<string, Entry>();
  readonly #copiesByFile = new Map<string, ReadonlyMap<string, readonly Copy[]>>();
  /** Objects of files that changed together. */
  readonly #touched = new Set<string>();
  /** These files; `all`: an object changed whose file did not, or with two files of which one changed apart. */
  #files: Set<string> | 'all' = new Set();
  /** Objects that were taken by {@link replaceInPieces} since the others were. */
  readonly #apart = new Set<string>();
  /** What goes on in pieces; what is small enough to be taken at once may be so while a file is replaced. */
  #ongoing: 'nothing' | 'replacing' | 'taking' = 'nothing';
  readonly #unread: UnreadFiles;
  /** Objects that a file which is not read may define. */
  readonly #held = new Set<string>();
  /** Policies that say who may sign tokens. */
  readonly #signing = new Set<string>();
  #inForce = false;

  /** @param unread may change: then {@link reconsider} is called */
  constructor(unread: UnreadFiles) {
    this.#unread = unread;
  }

  /** Begins to take the objects of a file, which has no effect before {@link replace}. */
  objectsOf(file: ManifestFile): FileObjects {
    return new FileObjects(file, (id) => this.#entries.get(id)?.delivered);
  }

  /** Replaces all objects of the file. Objects that are the same, and have no other copy, cost next to nothing. */
  replace({ key, copies }: FileObjects): void {
    const before = this.#copiesByFile.get(key) ?? none;
    if (this.#files !== 'all') this.#files.add(key);
    for (const [id, own] of before) if (!copies.has(id) && this.#set(id, key, own, [])) this.#touch(id);
    for (const [id, own] of copies) if (this.#set(id, key, before.get(id) ?? [], own)) this.#touch(id);
    this.#setCopies(key, copies);
  }

  /** False: something of other files waits for the end of a change in pieces, or is being taken in pieces. */
  get mayReplaceInPieces(): boolean {
    return this.#files !== 'all' && this.#ongoing !== 'taking';
  }

  /**
   * The same as a change of its own, if {@link mayReplaceInPieces}, in pieces that take some milliseconds each, after which
   * other files may change: also this one, if it is deleted then, once no further piece is asked for. Yields the objects
   * that changed, all of which are one change.
   */
  *replaceInPieces({ key, copies }: FileObjects): Generator<readonly TouchedObject[]> {
    this.#ongoing = 'replacing';
    try {
      const before = this.#copiesByFile.get(key) ?? none;
      const all = new Map([...before, ...copies]);
      this.#setCopies(key, all);
      for (const { items: ids } of divide(all.keys(), () => 0))
        yield ids.flatMap((id) => {
          const entry = this.#set(id, key, before.get(id) ?? [], copies.get(id) ?? []);
          return entry === undefined ? [] : [this.#takeApart(id, entry)];
        });
      this.#setCopies(key, copies);
    } finally {
      this.#ongoing = 'nothing';
    }
  }

  /** Other files are unread. Costs in proportion to the objects that are held, and the policies with signers. */
  reconsider(): void {
    // Before anything is served, what was there first is no reason to keep it.
    const ids = this.#inForce ? [...this.#held, ...this.#signing] : this.#entries.keys();
    for (const id of ids) this.#touched.add(id);
    this.#files = 'all';
  }

  /** What counts is served from now on: a file that appears and cannot be read takes nothing away from others. */
  comeIntoForce(): void {
    this.#inForce = true;
  }

  /**
   * Takes the objects whose files changed since the last call, but those of {@link replaceInPieces}. Yields pieces of many,
   * between which other files may change, which is taken with them; the last piece is returned. Undefined: they have to do
   * with what is being replaced, or are too many to be taken meanwhile, and are taken when it was.
   */
  *takeChanges(): Generator<readonly TouchedObject[], TouchedObjects | undefined> {
    const isReplacing = this.#ongoing === 'replacing';
    if (isReplacing && this.#touched.size > largestPart.objects) this.#files = 'all';
    if (isReplacing && this.#files === 'all') return undefined;
    if (!isReplacing) this.#ongoing = 'taking';
    let objects: TouchedObject[] = [];
    try {
      for (const id of this.#touched) {
        if (objects.length === largestPart.objects) {
          yield objects;
          objects = [];
        }
        // It is touched anew, and so taken again, if it changes between two pieces.
        this.#touched.delete(id);
        const entry = this.#entries.get(id);
        if (entry !== undefined) objects.push(this.#take(id, entry));
      }
    } finally {
      if (!isReplacing) this.#ongoing = 'nothing';
    }
    const files = this.#files;
    this.#files = new Set();
    if (!isReplacing) this.#apart.clear();
    return { objects, files };
  }

  /** The file and position of the copy that counts; undefined for an object that is not there. */
  placeOf(id: string): { readonly file: ManifestFile; readonly position: Position } | undefined {
    return this.#entries.get(id)?.copies.find(isReadable);
  }

  #setCopies(key: string, copies: ReadonlyMap<string, readonly Copy[]>): void {
    if (copies.size > 0) this.#copiesByFile.set(key, copies);
    else this.#copiesByFile.delete(key);
  }

  /** Replaces the copies of an object that a file has. Returns the object if it may have changed. */
  #set(id: string, from: string, before: readonly Copy[], own: readonly Copy[]): Entry | undefined {
    const entry = this.#entries.get(id) ?? entryOf(own);
    if (entry === undefined) return undefined;
    const others = before.length === 0 ? entry.copies : entry.copies.filter((copy) => copy.from !== from);
    const copies = others.length === 0 ? own : [...others, ...own].sort(compareCopies);
    const now = { ...entry, copies };
    this.#entries.set(id, now);
    return others.length > 0 || this.#held.has(id) || !isSame(before, own) ? now : undefined;
  }

  #touch(id: string): void {
    if (this.#apart.has(id)) this.#files = 'all';
    this.#touched.add(id);
  }

  #takeApart(id: string, entry: Entry): TouchedObject {
    if (this.#touched.has(id) || this.#apart.has(id)) this.#files = 'all';
    this.#apart.add(id);
    return this.#take(id, entry);
  }

  #take(id: string, entry: Entry): TouchedObject {
    const { resource, source, held } = this.#effective(entry);
    if (entry.copies.length === 0) this.#entries.delete(id);
    else this.#entries.set(id, { ...entry, delivered: resource, source });
    setMember(this.#held, id, held !== undefined);
    setMember(this.#signing, id, resource?.kind === 'MCPAuthPolicy' && resource.jwt !== undefined);
    const same = !isFoundChanged(entry, resource) && sameResource(entry.delivered, resource);
    const change = same ? undefined : changeOf(entry.kind, entry.key, resource, entry.delivered);
    const notes = held === undefined ? [] : [noteOf(id, held.copy, held.message)];
    return { id, change, duplicates: [...notes, ...duplicates(id, entry.copies)] };
  }

  /** The first copy with a readable frame. A Namespace with none has unknown labels. */
  #effective({ kind, key, copies, source }: Entry): Effective {
    const copy = copies.find(({ content }) => content.type === 'resource');
    if (copy?.content.type !== 'resource')
      return { resource: copies.length === 0 ? undefined : unlabelled(key), source: undefined, held: undefined };
    const { from } = copy;
    const { resource } = copy.content;
    const unread = this.#inForce && from === source ? undefined : this.#unread.before(copy.file, resource);
    if (unread === undefined) return { ...this.#withSigners(copy, resource), source: from };
    const message = `The object does not count, because ${unread}, which comes before, cannot be read and may define it: mend that file, or remove it.`;
    const held = { copy, message };
    if (resource.kind === 'MCPAuthPolicy')
      return { resource: withoutRights(resource, message), source: undefined, held };
    return { resource: kind === 'Namespace' ? unlabelled(key) : undefined, source: undefined, held };
  }

  /** A policy whose signers count only if no unread file names others for its Gateways. */
  #withSigners(copy: Copy, resource: Resource): Pick<Effective, 'resource' | 'held'> {
    const unread =
      resource.kind === 'MCPAuthPolicy' && resource.jwt !== undefined ? this.#unread.signing(resource) : undefined;
    if (resource.kind !== 'MCPAuthPolicy' || unread === undefined) return { resource, held: undefined };
    const message = `spec.jwt does not count, because ${unread} is not read and may say who signs tokens for the same Gateway: mend that file, or remove it.`;
    return { resource: { ...resource, jwt: { ok: false, reason: message } }, held: { copy, message } };
  }
}

/** What is left of a policy that does not count: that it says who may sign tokens, so that no other policy does. */
function withoutRights(policy: MCPAuthPolicy, reason: string): MCPAuthPolicy {
  const invalid = { ok: false, reason } as const;
  return { ...policy, rules: invalid, jwt: policy.jwt && invalid };
}

function unlabelled(name: string): Resource {
  return { kind: 'Namespace', metadata: { namespace: '', name, generation: undefined }, labels: { known: false } };
}

const none: ReadonlyMap<string, readonly Copy[]> = new Map();

function entryOf([copy]: readonly Copy[]): Entry | undefined {
  if (copy === undefined) return undefined;
  const { content } = copy;
  const kind = content.type === 'resource' ? content.resource.kind : 'Namespace';
  return { kind, key: content.key, copies: [], delivered: undefined, source: undefined };
}

/** Returns whether each is the only copy, of the same resource; it may stand elsewhere. */
function isSame([a, ...more]: readonly Copy[], [b, ...others]: readonly Copy[]): boolean {
  if (a?.content.type !== 'resource' || b?.content.type !== 'resource') return false;
  return more.length + others.length === 0 && a.content.resource === b.content.resource;
}

/** Returns whether a resource was compared with the delivered one already, and differs: it may have a megabyte. */
function isFoundChanged({ copies, delivered }: Entry, resource: Resource | undefined): boolean {
  if (delivered === undefined) return false;
  return copies.some(
    ({ changedFrom, content }) =>
      changedFrom === delivered && content.type === 'resource' && content.resource === resource,
  );
}

function setMember(members: Set<string>, id: string, isMember: boolean): void {
  if (isMember) members.add(id);
  else members.delete(id);
}

function noteOf(id: string, { file, position }: Copy, message: string): Duplicate {
  return { file, diagnostic: { severity: 'error', position, object: id, field: '', message } };
}

function compareCopies(a: Copy, b: Copy): number {
  return compareFiles(a.file, b.file) || a.ordinal - b.ordinal;
}

/** Copies of one object that are told of: as many files as there are may have one. */
const maxDuplicates = 100;

/** Returns the first readable copies after the first one, except the same lines reached by another path. */
function duplicates(id: string, copies: readonly Copy[]): readonly Duplicate[] {
  const [first, ...others] = copies.filter(isReadable);
  if (first === undefined) return [];
  const message = `The object is already defined at ${placeText(first.file.path, first.position)}, so that this copy does not count: remove one of the two.`;
  return others
    .filter((copy) => copy.file.realPath !== first.file.realPath || copy.ordinal !== first.ordinal)
    .slice(0, maxDuplicates)
    .map((copy) => noteOf(id, copy, message));
}
