import type { KeptEntries } from '../../../rate/kept-entries.ts';
import type { QualifiedName } from './qualified-names.ts';

/** The kinds of things with names. Resources have URIs. */
export type NamedKind = 'tool' | 'prompt';

/**
 * Which targets list something under a name that does not say its target. All sessions share this, since it does not
 * depend on a caller. It is what was listed last: a call for a name that is not in it lists again.
 */
export interface NameIndex {
  /** Takes over the names that a target lists, in place of those before. */
  listed(kind: NamedKind, target: string, names: readonly string[]): void;
  /** Returns whether a target was listed. */
  isKnown(kind: NamedKind, target: string): boolean;
  /** Returns what targets list under a name as clients spell it. */
  find(kind: NamedKind, exposed: string): readonly QualifiedName[];
  /** Call when a target was changed or removed. */
  forget(target: string): void;
}

/** UTF-16 code units of a name; a longer one is found only by its qualified name. */
const maxNameLength = 256;

/**
 * Starts without names. Keeps as many as lists may have entries, as far as there is room.
 *
 * @param exposed the name for clients; `undefined` for names that can be parsed, which are not kept
 */
export function createNameIndex(memory: KeptEntries, exposed: (name: QualifiedName) => string | undefined): NameIndex {
  const kinds = { tool: createKind(), prompt: createKind() } as const;
  return {
    listed(kind, target, names) {
      const short = names.filter((name) => name.length <= maxNameLength).map((name) => ({ target, name }));
      const pairs = short.flatMap((name) => pairOf(exposed(name), name));
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

function pairOf(exposed: string | undefined, name: QualifiedName): readonly Pair[] {
  return exposed === undefined ? [] : [[exposed, name]];
}

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
    replace(target: string, names: ReadonlyMap<string, QualifiedName>) {
      remove(target);
      byTarget.set(target, names);
      for (const [exposed, name] of names) {
        byExposed.set(exposed, (byExposed.get(exposed) ?? new Map()).set(target, name));
      }
    },
  };
}
