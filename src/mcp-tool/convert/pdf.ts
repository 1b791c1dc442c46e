import { extractTextItems, getDocumentProxy } from 'unpdf';
import { Refusal } from '../conversion-error.ts';

/** A line of a page, in reading order. */
interface Line {
  readonly text: string;
  readonly size: number;
  /** Distance of the baseline from the bottom of the page, in points. */
  readonly y: number;
}

type Item = Awaited<ReturnType<typeof extractTextItems>>['items'][number][number];

/** A line is a heading when its type is this much larger than that of most of the text, and it is not a paragraph. */
const headingScale = 1.15;
const longestHeading = 120;
const deepestHeading = 3;
/** Lines further apart than this, in type sizes, are different paragraphs. */
const paragraphGap = 1.7;

/**
 * Converts the text of a PDF, page by page. Headings are guessed from the size of the type. Tables, columns and
 * scanned pages are beyond it.
 */
export async function pdfToMarkdown(bytes: Uint8Array): Promise<string> {
  const pages = (await readItems(bytes)).map(linesOf);
  const body = commonSize(pages.flat());
  const larger = new Set(
    pages
      .flat()
      .filter((line) => isHeading(line, body))
      .map(({ size }) => size),
  );
  const sizes = [...larger].sort((a, b) => b - a);
  return pages
    .map((lines) => pageToMarkdown(lines, body, sizes))
    .filter((page) => page !== '')
    .join('\n\n');
}

async function readItems(bytes: Uint8Array): Promise<readonly (readonly Item[])[]> {
  try {
    // The library takes the bytes for itself, and refuses a Buffer.
    const document = await getDocumentProxy(Uint8Array.from(bytes), { verbosity: 0 });
    return (await extractTextItems(document)).items;
  } catch (error) {
    throw Refusal.damaged('PDF', error);
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
    // Halves of a point are the same size to a reader.
    size: Math.round(Math.max(0, ...visible.map(({ fontSize }) => fontSize)) * 2) / 2,
    y: visible[0]?.y ?? 0,
  };
}

/** The size in which most characters are set. */
function commonSize(lines: readonly Line[]): number {
  const characters = new Map<number, number>();
  for (const { size, text } of lines) characters.set(size, (characters.get(size) ?? 0) + text.length);
  const [most] = [...characters].sort(([, a], [, b]) => b - a);
  return most?.[0] ?? 0;
}

function isHeading({ size, text }: Line, body: number): boolean {
  return size >= body * headingScale && text.length <= longestHeading;
}

function pageToMarkdown(lines: readonly Line[], body: number, sizes: readonly number[]): string {
  const blocks: string[] = [];
  let previous: Line | undefined;
  for (const line of lines) {
    const heading = isHeading(line, body);
    const gap = previous === undefined ? 0 : Math.abs(previous.y - line.y);
    const continues = previous !== undefined && previous.size === line.size && gap <= line.size * paragraphGap;
    const last = blocks.at(-1);
    if (continues && last !== undefined) blocks[blocks.length - 1] = `${last}${heading ? ' ' : '\n'}${line.text}`;
    else blocks.push(heading ? `${'#'.repeat(depthOf(line.size, sizes))} ${line.text}` : line.text);
    previous = line;
  }
  return blocks.join('\n\n');
}

function depthOf(size: number, sizes: readonly number[]): number {
  return Math.min(sizes.indexOf(size) + 1, deepestHeading);
}
