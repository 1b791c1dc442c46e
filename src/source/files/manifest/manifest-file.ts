/** A file that objects come from: a root of `-f` itself, or an entry of a root that is a folder. */
export interface ManifestFile {
  /** The position of its root among those of `-f`. */
  readonly root: number;
  /** The entry's name in the folder; empty when the root is the file. */
  readonly name: string;
  /** As it is named in messages: the root as given, and the entry's name. */
  readonly path: string;
  /** Where the content really lies, all links followed. */
  readonly realPath: string;
}

/** What reading a file gave. */
export type Reading =
  | { readonly ok: true; readonly text: string }
  /** `reason` is a full sentence. */
  | { readonly ok: false; readonly reason: string };

/** Tells files apart by the way they are reached, not by where the content lies. */
export function fileKey({ root, name }: Pick<ManifestFile, 'root' | 'name'>): string {
  return `${root}/${name}`;
}

/** The order in which copies of an object count: that of `-f`, then bytewise by name. */
export function compareFiles(a: ManifestFile, b: ManifestFile): number {
  return a.root - b.root || Buffer.compare(Buffer.from(a.name), Buffer.from(b.name));
}
