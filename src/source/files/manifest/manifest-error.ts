/**
 * A file is not YAML, or beyond a limit. Nothing in it counts: it may be half written. Thrown while it is parsed, and
 * caught by `parseManifest`.
 */
export class ManifestError extends Error {
  override readonly name = 'ManifestError';
  /** Offset in the text, in UTF-16 code units. */
  readonly offset: number;

  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}
