import type { KeptEntries } from '../../../rate/kept-entries.ts';
import type { QualifiedName } from './qualified-names.ts';

/** The kinds of things with names. Resources have URIs. */
export type NamedKind = 'tool' | 'prompt';

/**
 * Which targets list something under a name that does not say its target. All sessions share this, since it does not
 * depend on a caller. It is what was listed last: a call for a name that is not in it lists again.
 */
export interface NameIndex {
  /** Takes over what a target lists, in place of that before. */
  listed(kind: NamedKind, target: string, entries: readonly ListedName[]): void;
  /** Returns whether a target was listed. */
  isKnown(kind: NamedKind, target: string): boolean;
  /** Returns what targets list under a name as clients spell it. */
  find(kind: NamedKind, exposed: string): readonly QualifiedName[];
  /** Call when a target was changed or removed. */
  forget(target: string): void;
}

/** The name of something at its target, and for clients. */
interface ListedName {
  readonly name: string;
  readonly exposed: string;
}

/** UTF-16 code units of a name; a longer one is found only by its qualified name. */
const maxNameLength = 256;

/**
 * Starts without names. Keeps as many as lists may have entries, as far as there is room.
 *
 * @param isKept returns whether a name for clients does not say its target; others can be parsed, and are not kept
 */
export function createNameIndex(memory: KeptEntries, isKept: (exposed: string) => boolean): NameIndex {
  const kinds = { tool: createKind(), prompt: createKind() } as const;
  return {
    listed(kind, target, entries) {
      const pairs: Pair[] = [];
      for (const { name, exposed } of entries) {
        if (name.length <= maxNameLength && isKept(exposed)) pairs.push([exposed, { target, name }]);
      }
      if (kinds[kind].has(target, pairs)) return;
      kinds[kind].replace(target, new Map(memory.keeper(target, kind)(pairs, bytesOf)));
    },
    isKnown: (kind, target) => kinds[kind].byTarget.has(target),
    find: (kind, name) => [...(kinds[kind].byExposed.get(name)?.values() ?? [])],
    forget(target) {
      for (const { remove } of Object.values(kinds)) remove(target);
    },
  };
}

type Pair = readonly [exposed: string, name: QualifiedName];

/** Memory of a name: two bytes for each character, and its place in two indexes. */
function bytesOf([exposed, { name }]: Pair): number {
  return 400 + 2 * (exposed.length + name.length);
}

function createKind() {
  const byTarget = new Map<string, ReadonlyMap<string, QualifiedName>>();
  const byExposed = new Map<string, Map<string, QualifiedName>>();
  const remove = (target: string): void => {
    for (const exposed of byTarget.get(target)?.keys() ?? []) {
      const targets = byExposed.get(exposed);
      targets?.delete(target);
      if (targets?.size === 0) byExposed.delete(exposed);
    }
    byTarget.delete(target);
  };
  return {
    byTarget,
    byExposed,
    remove,
    /** Returns whether these are the names of a target, as they mostly are when it is listed again. */
    has(target: string, pairs: readonly Pair[]): boolean {
      const names = byTarget.get(target);
      return names?.size === pairs.length && pairs.every(([exposed, { name }]) => names.get(exposed)?.name === name);
    },
    replace(target: string, names: ReadonlyMap<string, QualifiedName>) {
      remove(target);
      byTarget.set(target, names);
      for (const [exposed, name] of names) {
        byExposed.set(exposed, (byExposed.get(exposed) ?? new Map()).set(target, name));
      }
    },
  };
}
