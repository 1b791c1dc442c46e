import { ConversionError } from '../conversion-error.ts';
import type { SourceDocument } from '../source-document.ts';
import { charsetOfHtml, decodeText } from './charset.ts';
import { detectFormat } from './document-format.ts';
import { fencedCode } from './markdown-syntax.ts';

/**
 * Converts one document. Runs in the conversion process, because converters block their thread. Loads each converter on
 * first use.
 *
 * @param limit bytes of the XML parts of a DOCX, and characters of the Markdown
 * @throws ConversionError
 */
export async function toMarkdown(document: SourceDocument, limit: number): Promise<string> {
  const markdown = await convert(document, limit);
  if (markdown.length > limit) throw ConversionError.tooLarge('The Markdown', limit);
  return markdown;
}

async function convert(document: SourceDocument, limit: number): Promise<string> {
  const { bytes, contentType } = document;
  const format = detectFormat(document);
  switch (format.kind) {
    case 'html': {
      const { htmlToMarkdown } = await import('./html.ts');
      return htmlToMarkdown(decodeText(bytes, contentType?.charset, charsetOfHtml(bytes)));
    }
    case 'docx': {
      const { docxToMarkdown } = await import('./docx.ts');
      return docxToMarkdown(bytes, limit);
    }
    case 'pdf': {
      const { pdfToMarkdown } = await import('./pdf.ts');
      return pdfToMarkdown(bytes);
    }
    case 'csv': {
      const { csvToMarkdown } = await import('./csv.ts');
      return csvToMarkdown(decodeText(bytes, contentType?.charset), format.delimiter, limit);
    }
    case 'code':
      return fencedCode(decodeText(bytes, contentType?.charset).trim(), format.language);
    case 'text':
      return decodeText(bytes, contentType?.charset);
  }
}
