import { extractTextItems, getDocumentProxy } from 'unpdf';
import { ConversionError } from '../conversion-error.ts';

/** A line of a page, in reading order. */
interface Line {
  readonly text: string;
  /** Largest font size, in points, rounded to halves. */
  readonly size: number;
  /** Distance of the baseline from the bottom of the page, in points. */
  readonly y: number;
}

type Item = Awaited<ReturnType<typeof extractTextItems>>['items'][number][number];

/** Least ratio of a heading's font size to the body's. */
const headingScale = 1.15;
/** Characters beyond which a line in a large font is a paragraph. */
const maxHeadingLength = 120;
const maxHeadingLevel = 3;
/** Multiple of the font size beyond which a distance between baselines separates paragraphs. */
const paragraphGap = 1.7;

/**
 * Converts the text of a PDF, page by page. Infers headings from font sizes and paragraphs from distances. Does not
 * recognize tables, columns or scanned text.
 *
 * @throws ConversionError
 */
export async function pdfToMarkdown(bytes: Uint8Array): Promise<string> {
  const pages = (await readItems(bytes)).map(linesOf);
  const lines = pages.flat();
  const bodySize = mostCommonSize(lines);
  const headings = lines.filter((line) => isHeading(line, bodySize));
  const headingSizes = [...new Set(headings.map(({ size }) => size))].sort((a, b) => b - a);
  return pages
    .map((page) => pageToMarkdown(page, bodySize, headingSizes))
    .filter((page) => page !== '')
    .join('\n\n');
}

async function readItems(bytes: Uint8Array): Promise<readonly (readonly Item[])[]> {
  try {
    // unpdf detaches the buffer that it is given, and rejects a Buffer.
    const document = await getDocumentProxy(Uint8Array.from(bytes), { verbosity: 0 });
    return (await extractTextItems(document)).items;
  } catch (error) {
    throw ConversionError.unreadable('PDF', error);
  }
}

function linesOf(items: readonly Item[]): readonly Line[] {
  const lines: Line[] = [];
  let current: Item[] = [];
  for (const item of items) {
    current.push(item);
    if (!item.hasEOL) continue;
    lines.push(lineOf(current));
    current = [];
  }
  return [...lines, lineOf(current)].filter(({ text }) => text !== '');
}

function lineOf(items: readonly Item[]): Line {
  const visible = items.filter(({ str }) => str.trim() !== '');
  return {
    text: items
      .map(({ str }) => str)
      .join('')
      .replace(/\s+/g, ' ')
      .trim(),
    size: Math.round(Math.max(0, ...visible.map(({ fontSize }) => fontSize)) * 2) / 2,
    y: visible[0]?.y ?? 0,
  };
}

/** Returns the font size of the most characters. */
function mostCommonSize(lines: readonly Line[]): number {
  const characters = new Map<number, number>();
  for (const { size, text } of lines) characters.set(size, (characters.get(size) ?? 0) + text.length);
  const [most] = [...characters].sort(([, a], [, b]) => b - a);
  return most?.[0] ?? 0;
}

function isHeading({ size, text }: Line, bodySize: number): boolean {
  return size >= bodySize * headingScale && text.length <= maxHeadingLength;
}

function pageToMarkdown(lines: readonly Line[], bodySize: number, headingSizes: readonly number[]): string {
  const blocks: string[] = [];
  let previous: Line | undefined;
  for (const line of lines) {
    const heading = isHeading(line, bodySize);
    const gap = previous === undefined ? 0 : Math.abs(previous.y - line.y);
    const continues = previous !== undefined && previous.size === line.size && gap <= line.size * paragraphGap;
    const last = blocks.at(-1);
    if (continues && last !== undefined) blocks[blocks.length - 1] = `${last}${heading ? ' ' : '\n'}${line.text}`;
    else blocks.push(heading ? `${'#'.repeat(headingLevel(line.size, headingSizes))} ${line.text}` : line.text);
    previous = line;
  }
  return blocks.join('\n\n');
}

function headingLevel(size: number, headingSizes: readonly number[]): number {
  return Math.min(headingSizes.indexOf(size) + 1, maxHeadingLevel);
}
