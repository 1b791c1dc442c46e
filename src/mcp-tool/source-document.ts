import { MIMEType } from 'node:util';

/** The declared media type of a document, not checked against its bytes. */
export interface ContentType {
  /** In lower case, without parameters: `text/html`. */
  readonly essence: string;
  readonly charset: string | undefined;
}

/** A document as received, decompressed. Sent in pieces to the process that converts it. */
export interface SourceDocument {
  readonly bytes: Uint8Array;
  readonly contentType: ContentType | undefined;
  /** The URI's file extension in lower case, such as `.csv`; empty without one. Used when no type is declared. */
  readonly extension: string;
}

/**
 * Characters of a `Content-Type`. Real ones have fewer than a hundred; the parser takes time in proportion to the square
 * of white space (13 s for 100,000 spaces), on the thread that serves.
 */
const maxContentType = 1_024;

/** Parses a `Content-Type`; undefined when it is absent, malformed or longer than {@link maxContentType}. */
export function parseContentType(header: string | undefined): ContentType | undefined {
  if (header === undefined || header.length > maxContentType) return undefined;
  try {
    const type = new MIMEType(header);
    return { essence: type.essence, charset: type.params.get('charset') ?? undefined };
  } catch {
    return undefined;
  }
}
