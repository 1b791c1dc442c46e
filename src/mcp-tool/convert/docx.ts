import mammoth from 'mammoth';
import { ConversionError } from '../conversion-error.ts';
import { htmlToMarkdown } from './html.ts';
import { readZip, writeZip } from './zip.ts';

/**
 * Converts a Word document. Extracts its XML parts only and passes mammoth a new archive of them, so that mammoth reads
 * exactly what was measured. Replaces pictures by their descriptions.
 *
 * @param limit bytes of all XML parts together
 * @throws ConversionError
 */
export async function docxToMarkdown(bytes: Uint8Array, limit: number): Promise<string> {
  try {
    const parts = await readZip(bytes, (name) => /\.(xml|rels)$/i.test(name), limit);
    if (!parts.has('word/document.xml')) {
      throw new ConversionError(
        'format',
        'The document is an archive, but no Word document: it has no word/document.xml.',
      );
    }
    const { value } = await mammoth.convertToHtml(
      { buffer: await writeZip(parts) },
      {
        convertImage: mammoth.images.imgElement(async () => ({ src: '' })),
        externalFileAccess: false,
        includeEmbeddedStyleMap: false,
      },
    );
    return htmlToMarkdown(value.replace(/<img alt="([^"]*)" src="" \/>/g, '$1'));
  } catch (error) {
    throw ConversionError.unreadable('DOCX', error);
  }
}
