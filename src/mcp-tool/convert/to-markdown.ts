import { charsetOfHtml, decodeText } from './charset.ts';
import { fenced } from './markdown-syntax.ts';
import { formatOf } from './document-format.ts';
import { tooLarge } from '../fetch/response-body.ts';
import type { SourceDocument } from '../source-document.ts';

/**
 * Converts one document. Converters are loaded when they are needed. Everything here runs in the converting thread,
 * since nothing in it yields.
 *
 * @param plainBytes bounds what an archive may unpack to, and the Markdown in characters.
 */
export async function toMarkdown(document: SourceDocument, plainBytes: number): Promise<string> {
  const markdown = await convert(document, plainBytes);
  if (markdown.length > plainBytes) throw tooLarge('The Markdown', plainBytes);
  return markdown;
}

async function convert(document: SourceDocument, plainBytes: number): Promise<string> {
  const { bytes, contentType } = document;
  const format = formatOf(document);
  switch (format.kind) {
    case 'html': {
      const { htmlToMarkdown } = await import('./html.ts');
      return htmlToMarkdown(decodeText(bytes, contentType?.charset, charsetOfHtml(bytes)));
    }
    case 'docx': {
      const { docxToMarkdown } = await import('./docx.ts');
      return docxToMarkdown(bytes, plainBytes);
    }
    case 'pdf': {
      const { pdfToMarkdown } = await import('./pdf.ts');
      return pdfToMarkdown(bytes);
    }
    case 'csv': {
      const { csvToMarkdown } = await import('./csv.ts');
      return csvToMarkdown(decodeText(bytes, contentType?.charset), format.delimiter, plainBytes);
    }
    case 'code':
      return fenced(decodeText(bytes, contentType?.charset).trim(), format.language);
    case 'text':
      return decodeText(bytes, contentType?.charset);
  }
}
