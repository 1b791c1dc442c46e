/**
 * Why nothing of a text counts: it may be half written, so no part of it can be trusted to be the whole. Thrown while
 * the text is read, and caught where the file is.
 */
export class Unparsable extends Error {
  /** Where in the text, in UTF-16 code units. */
  readonly offset: number;

  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}
