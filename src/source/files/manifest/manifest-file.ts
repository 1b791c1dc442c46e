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
  | { readonly ok: false; readonly reason: string };

/** Identifies a file by the path to it, not by where its content is. */
export function fileKey({ root, name }: Pick<ManifestFile, 'root' | 'name'>): string {
  return `${root}/${name}`;
}

/** Compares the precedence of copies of an object: by the order of `-f`, then bytewise by name. */
export function compareFiles(a: ManifestFile, b: ManifestFile): number {
  return a.root - b.root || Buffer.compare(Buffer.from(a.name), Buffer.from(b.name));
}
