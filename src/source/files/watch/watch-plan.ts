import { basename } from 'node:path';
import { type Concern, isManifestName } from './root-reader.ts';

/** Where a root has to be looked at. */
export interface Mark {
  readonly root: number;
  /** The entry of its folder; undefined: all of it. */
  readonly entry: string | undefined;
}

/** Which roots a change in a folder concerns. Built from what the last look at the roots found out. */
export class WatchPlan {
  readonly #marks = new Map<string, Map<string | undefined, Mark[]>>();

  /** @param concerns of each root */
  constructor(concerns: readonly Iterable<Concern>[]) {
    for (const [root, some] of concerns.entries()) {
      for (const { folder, name, entry } of some) this.#listFor(folder, name).push({ root, entry });
    }
  }

  /** Every folder in which something may matter. */
  get folders(): ReadonlySet<string> {
    return new Set(this.#marks.keys());
  }

  /** What has to be looked at after a change of a name in a folder; undefined: it may be any. */
  affected(folder: string, name: string | undefined): readonly Mark[] {
    const marks = this.#marks.get(folder);
    if (marks === undefined) return [];
    // A folder that is moved or removed tells so by its own name.
    if (name === undefined || name === basename(folder)) {
      return [...marks.values()].flat().map(({ root }) => ({ root, entry: undefined }));
    }
    const here = isManifestName(name) ? (marks.get(undefined) ?? []) : [];
    return [...(marks.get(name) ?? []), ...here.map(({ root }) => ({ root, entry: name }))];
  }

  #listFor(folder: string, name: string | undefined): Mark[] {
    const names = this.#marks.get(folder) ?? new Map<string | undefined, Mark[]>();
    this.#marks.set(folder, names);
    const list = names.get(name) ?? [];
    names.set(name, list);
    return list;
  }
}
