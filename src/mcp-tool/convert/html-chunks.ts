import type { NodeHtmlMarkdown } from 'node-html-markdown';

type Translators = NonNullable<ConstructorParameters<typeof NodeHtmlMarkdown>[1]>;
type TranslatorFactory = Extract<Translators[string], (...args: never) => unknown>;

/** Elements without a Markdown meaning of their own, as node-html-markdown's comma-separated key. */
export const containerElements =
  'html,body,main,div,section,article,aside,header,footer,nav,form,figure,center,fieldset';

const blockElements: ReadonlySet<string> = new Set([
  ...containerElements.split(','),
  ...['p', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'ul', 'ol', 'dl', 'table', 'pre', 'blockquote', 'hr', 'address'],
]);

/** Characters of HTML per chunk. Shorter documents gain nothing from being split. */
const chunkLength = 16_384;

/**
 * Creates a translator of container elements that converts long ones in chunks of whole children. node-html-markdown
 * inspects the end of its result after every node, for which V8 flattens the whole string: time grows with the square
 * of the length (23 s for 1 MB). A chunk exceeds `chunkLength` by at most one indivisible element, such as a table.
 *
 * @param translate converts one chunk
 */
export function inChunks(translate: (html: string) => string): TranslatorFactory {
  return ({ node, listKind, noEscape }) => {
    // Inside of lists (indentation) and code (no escapes) the result depends on context that a chunk lacks.
    const dependsOnContext = listKind !== undefined || noEscape === true;
    if (dependsOnContext || node.innerHTML.length <= chunkLength) return { surroundingNewlines: 2 };
    const chunks: string[] = [];
    for (const child of childrenOf(node)) {
      const last = chunks.at(-1);
      if (last === undefined || (child.startsBlock && last.length > chunkLength)) chunks.push(child.html);
      else chunks[chunks.length - 1] = last + child.html;
    }
    const content = chunks.map((chunk) => translate(chunk).trim()).filter((chunk) => chunk !== '');
    return { surroundingNewlines: 2, recurse: false, content: content.join('\n\n') };
  };
}

interface Child {
  readonly html: string;
  /** True if it is a block element or follows one, so that a chunk may begin with it. */
  readonly startsBlock: boolean;
}

/** The part of the library's node types that is used here; only elements have `tagName`. */
interface HtmlNode {
  readonly tagName?: string;
  toString(): string;
}

function childrenOf({ childNodes }: { readonly childNodes: Iterable<HtmlNode> }): readonly Child[] {
  let afterBlock = false;
  return Array.from(childNodes, (child) => {
    const block = blockElements.has((child.tagName ?? '').toLowerCase());
    const startsBlock = block || afterBlock;
    afterBlock = block;
    return { html: child.toString(), startsBlock };
  });
}
