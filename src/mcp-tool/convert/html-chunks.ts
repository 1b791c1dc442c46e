import type { NodeHtmlMarkdown } from 'node-html-markdown';

type Translators = NonNullable<ConstructorParameters<typeof NodeHtmlMarkdown>[1]>;
type Factory = Extract<Translators[string], (...args: never) => unknown>;

/** Elements that only group others: what is in them means the same without them. */
export const groups = 'html,body,main,div,section,article,aside,header,footer,nav,form,figure,center,fieldset';

const blocks: ReadonlySet<string> = new Set([
  ...groups.split(','),
  ...['p', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'ul', 'ol', 'dl', 'table', 'pre', 'blockquote', 'hr', 'address'],
]);

/** In characters of HTML; below it the cost that is avoided here does not show. */
const pieceLength = 16_384;

/**
 * Converts a large group piece by piece, each a run of its children. The library looks at the end of its whole result
 * after every node, and the engine copies the result for that: the time grows with the square of the length (23 s for
 * a megabyte). Pieces are as long at the most as one element that cannot be divided, such as a table.
 */
export function inPieces(translate: (html: string) => string): Factory {
  return ({ node, listKind, noEscape }) => {
    // In a list the depth counts, and in code nothing is escaped: a piece would not know.
    const whole = listKind !== undefined || noEscape === true;
    if (whole || node.innerHTML.length <= pieceLength) return { surroundingNewlines: 2 };
    const pieces: string[] = [];
    for (const child of childrenOf(node)) {
      const last = pieces.at(-1);
      if (last === undefined || (child.separate && last.length > pieceLength)) pieces.push(child.html);
      else pieces[pieces.length - 1] = last + child.html;
    }
    const content = pieces.map((piece) => translate(piece).trim()).filter((piece) => piece !== '');
    return { surroundingNewlines: 2, recurse: false, content: content.join('\n\n') };
  };
}

interface Child {
  readonly html: string;
  /** Whether a paragraph ends before it: it is a block, or follows one. */
  readonly separate: boolean;
}

/** What the library's nodes have in common; `tagName` is an element's. */
interface HtmlNode {
  readonly tagName?: string;
  toString(): string;
}

function childrenOf({ childNodes }: { readonly childNodes: Iterable<HtmlNode> }): readonly Child[] {
  let afterBlock = false;
  return Array.from(childNodes, (child) => {
    const block = blocks.has((child.tagName ?? '').toLowerCase());
    const separate = block || afterBlock;
    afterBlock = block;
    return { html: child.toString(), separate };
  });
}
