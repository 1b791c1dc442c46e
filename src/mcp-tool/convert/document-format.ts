import { isUtf8 } from 'node:buffer';
import { shortened } from '../../json/quoted.ts';
import { ConversionError } from '../conversion-error.ts';
import type { SourceDocument } from '../source-document.ts';

/** A supported format. `code` becomes a fenced block of that language; `text`, also Markdown, is unchanged. */
export type DocumentFormat =
  | { readonly kind: 'html' | 'docx' | 'pdf' | 'text' }
  | { readonly kind: 'csv'; readonly delimiter: string | undefined }
  | { readonly kind: 'code'; readonly language: string };

const docxType = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';

const byType: ReadonlyMap<string, DocumentFormat> = new Map<string, DocumentFormat>([
  ['text/html', { kind: 'html' }],
  ['application/xhtml+xml', { kind: 'html' }],
  ['application/pdf', { kind: 'pdf' }],
  ['application/x-pdf', { kind: 'pdf' }],
  [docxType, { kind: 'docx' }],
  ['text/csv', { kind: 'csv', delimiter: undefined }],
  ['application/csv', { kind: 'csv', delimiter: undefined }],
  ['text/tab-separated-values', { kind: 'csv', delimiter: '\t' }],
  ['application/json', { kind: 'code', language: 'json' }],
  ['text/json', { kind: 'code', language: 'json' }],
  ['application/xml', { kind: 'code', language: 'xml' }],
  ['text/xml', { kind: 'code', language: 'xml' }],
]);

const byExtension: ReadonlyMap<string, DocumentFormat> = new Map<string, DocumentFormat>([
  ['.html', { kind: 'html' }],
  ['.htm', { kind: 'html' }],
  ['.csv', { kind: 'csv', delimiter: undefined }],
  ['.tsv', { kind: 'csv', delimiter: '\t' }],
  ['.json', { kind: 'code', language: 'json' }],
  ['.xml', { kind: 'code', language: 'xml' }],
]);

/** Media types that servers send for files of unknown type. */
const genericTypes: ReadonlySet<string> = new Set([
  'application/octet-stream',
  'binary/octet-stream',
  'application/x-download',
  'application/force-download',
  'application/zip',
  'application/x-zip-compressed',
]);

/**
 * Detects the format: from the declared media type; if that is absent or generic, from the first bytes, then from the
 * file extension.
 *
 * @throws ConversionError for unsupported formats
 */
export function detectFormat({ bytes, contentType, extension }: SourceDocument): DocumentFormat {
  if (contentType === undefined || genericTypes.has(contentType.essence)) return sniff(bytes, extension);
  const { essence } = contentType;
  const known = byType.get(essence);
  if (known !== undefined) return known;
  if (essence.endsWith('+json')) return { kind: 'code', language: 'json' };
  if (essence.endsWith('+xml') && !essence.startsWith('image/')) return { kind: 'code', language: 'xml' };
  if (essence.startsWith('text/')) return { kind: 'text' };
  throw unsupported(`documents of type ${shortened(essence)}`);
}

function sniff(bytes: Uint8Array, extension: string): DocumentFormat {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 1024));
  if (start.includes('%PDF-')) return { kind: 'pdf' };
  // DOCX is the only supported ZIP format; its converter rejects other archives.
  if (start.subarray(0, 4).equals(Buffer.from('PK\u0003\u0004', 'latin1'))) return { kind: 'docx' };
  if (!looksLikeText(bytes, start)) throw unsupported('this kind of binary data');
  const known = byExtension.get(extension);
  if (known !== undefined) return known;
  return {
    kind: /^\s*(<!--|<\?xml[^>]*>\s*<!doctype html|<!doctype html|<(html|head|body)[\s>])/i.test(
      start.toString('utf8').replace(/^\ufeff/, ''),
    )
      ? 'html'
      : 'text',
  };
}

function looksLikeText(bytes: Uint8Array, start: Buffer): boolean {
  const utf16 = (start[0] === 0xfe && start[1] === 0xff) || (start[0] === 0xff && start[1] === 0xfe);
  return utf16 || (isUtf8(bytes) && !bytes.includes(0));
}

function unsupported(what: string): ConversionError {
  return new ConversionError(
    'format',
    `There is no converter for ${what}. HTML, DOCX, PDF, CSV, JSON, XML and text are converted.`,
  );
}
