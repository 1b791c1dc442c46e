import { isUtf8 } from 'node:buffer';
import { Refusal } from '../conversion-error.ts';
import type { SourceDocument } from '../source-document.ts';

/** What can be converted. `code` is shown verbatim in a fence of that language, `text` (Markdown too) as it is. */
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

/** Types that say nothing: servers send them for whatever they do not know. */
const generic: ReadonlySet<string> = new Set([
  'application/octet-stream',
  'binary/octet-stream',
  'application/x-download',
  'application/force-download',
  'application/zip',
  'application/x-zip-compressed',
]);

/** The declared type decides; without a telling one the bytes do, then the extension. Throws for what is not converted. */
export function formatOf({ bytes, contentType, extension }: SourceDocument): DocumentFormat {
  if (contentType === undefined || generic.has(contentType.essence)) return sniff(bytes, extension);
  const { essence } = contentType;
  const known = byType.get(essence);
  if (known !== undefined) return known;
  if (essence.endsWith('+json')) return { kind: 'code', language: 'json' };
  if (essence.endsWith('+xml') && !essence.startsWith('image/')) return { kind: 'code', language: 'xml' };
  if (essence.startsWith('text/')) return { kind: 'text' };
  throw unsupported(`documents of type ${essence}`);
}

function sniff(bytes: Uint8Array, extension: string): DocumentFormat {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 1024));
  if (start.includes('%PDF-')) return { kind: 'pdf' };
  // The only archive that is read; the converter says so when it is another one.
  if (start.subarray(0, 4).equals(Buffer.from('PK\u0003\u0004', 'latin1'))) return { kind: 'docx' };
  if (!looksLikeText(bytes, start)) throw unsupported('this kind of binary data');
  const named = byExtension.get(extension);
  if (named !== undefined) return named;
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

function unsupported(what: string): Refusal {
  return new Refusal(
    'format',
    `There is no converter for ${what}. HTML, DOCX, PDF, CSV, JSON, XML and text are converted.`,
  );
}
