import mammoth from 'mammoth';
import { htmlToMarkdown } from './html.ts';
import { Refusal } from '../conversion-error.ts';
import { readZip, writeZip } from './zip.ts';

/**
 * Converts a Word document. Only its XML parts are unpacked, within `limit` bytes together; a fresh archive of just
 * those is what the library sees, so what was measured is what is read. Pictures are left out but for their
 * descriptions.
 */
export async function docxToMarkdown(bytes: Uint8Array, limit: number): Promise<string> {
  try {
    const parts = readZip(bytes, (name) => /\.(xml|rels)$/i.test(name), limit);
    if (!parts.has('word/document.xml')) {
      throw new Refusal('format', 'The document is an archive, but no Word document: it has no word/document.xml.');
    }
    const { value } = await mammoth.convertToHtml(
      { buffer: writeZip(parts) },
      {
        convertImage: mammoth.images.imgElement(async () => ({ src: '' })),
        externalFileAccess: false,
        includeEmbeddedStyleMap: false,
      },
    );
    return htmlToMarkdown(value.replace(/<img alt="([^"]*)" src="" \/>/g, '$1'));
  } catch (error) {
    throw Refusal.damaged('DOCX', error);
  }
}
