import { MIMEType } from 'node:util';

/** What a header or a data URI says the bytes are. Nothing in it was checked against them. */
export interface ContentType {
  /** In lower case, without parameters: `text/html`. */
  readonly essence: string;
  readonly charset: string | undefined;
}

/** A document as it was received. It crosses to the converting thread as it is. */
export interface SourceDocument {
  readonly bytes: Uint8Array;
  readonly contentType: ContentType | undefined;
  /** In lower case, with the dot: `.csv`; empty when the URI says none. A hint for documents without a telling type. */
  readonly extension: string;
}

/** Reads a `Content-Type`. Whatever is no media type counts as absent. */
export function readContentType(header: string | undefined): ContentType | undefined {
  if (header === undefined) return undefined;
  try {
    const type = new MIMEType(header);
    return { essence: type.essence, charset: type.params.get('charset') ?? undefined };
  } catch {
    return undefined;
  }
}
