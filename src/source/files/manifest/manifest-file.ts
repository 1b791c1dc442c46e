import type { PossibleObjects } from './possible-objects.ts';

/** A file with manifests: a root of `-f` itself, or an entry of a root that is a folder. */
export interface ManifestFile {
  /** Index of its root among those of `-f`. */
  readonly root: number;
  /** The entry's name in the folder; empty when the root is the file. */
  readonly name: string;
  /** The path for messages: the root as given, and the entry's name. */
  readonly path: string;
  /** The path of the content, with all links resolved. */
  readonly realPath: string;
}

/** The content of a file, or why it cannot be read. */
export type FileContent =
  | { readonly ok: true; readonly text: string }
  /** `reason` is a full sentence. */
  | { readonly ok: false; readonly reason: string; readonly possible: PossibleObjects };

/** Identifies a file by the path to it, not by where its content is. */
export function fileKey({ root, name }: Pick<ManifestFile, 'root' | 'name'>): string {
  return `${root}/${name}`;
}

/** Compares the precedence of copies of an object: by the order of `-f`, then bytewise by name. */
export function compareFiles(a: Pick<ManifestFile, 'root' | 'name'>, b: Pick<ManifestFile, 'root' | 'name'>): number {
  return a.root - b.root || compareNames(a.name, b.name);
}

/** Compares names as their bytes in UTF-8, without encoding them. */
export function compareNames(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  for (let at = 0; at < end; at += 1) {
    const [unit, other] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (unit !== other) return rank(unit) - rank(other);
  }
  return a.length - b.length;
}

/** In UTF-8 the characters that UTF-16 writes as surrogates come last. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
