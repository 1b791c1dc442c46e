import type { Reason } from '../conversion-error.ts';
import type { SourceDocument } from '../source-document.ts';

/**
 * A message to the process: what the document is, all of its bytes in pieces, and then a request for each message with
 * Markdown. Each is the answer to one message of the process.
 */
export type ConversionRequest =
  | {
      readonly kind: 'document';
      readonly document: Omit<SourceDocument, 'bytes'>;
      /** Bytes of all pieces. */
      readonly length: number;
      /** See `Limits.unpackedBytes`. */
      readonly unpackedBytes: number;
    }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'next' };

/** A message of the process: its code is loaded, it has taken a request, a piece of the Markdown, and the end. */
export type ConversionMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'taken' }
  | { readonly kind: 'markdown'; readonly piece: string }
  | { readonly kind: 'end' }
  | { readonly kind: 'failed'; readonly reason: Reason; readonly message: string };

/** Bytes of a document, or characters of Markdown, in one message: to send all takes longer than a turn may. */
export const pieceLength: number = 1024 * 1024;
