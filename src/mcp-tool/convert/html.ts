import { NodeHtmlMarkdown } from 'node-html-markdown';
import { ConversionError } from '../conversion-error.ts';
import { containerElements, inChunks } from './html-chunks.ts';
import { fencedCode } from './markdown-syntax.ts';

type Translators = NonNullable<ConstructorParameters<typeof NodeHtmlMarkdown>[1]>;

/** Elements without readable content: scripts, styles, controls, and replacements for disabled scripts. */
const ignoredElements = [
  'script',
  'style',
  'noscript',
  'template',
  'title',
  'svg',
  'iframe',
  'object',
  'select',
  'button',
];

/** `<!DOCTYPE …>` and `<?xml …?>`, which the library treats as text, and comments, which it does not. */
const declarations = /<[!?][^<>]*>/g;

/** Link targets that are kept: http, https, mailto and relative URLs. Other links (`javascript:`) become their text. */
const allowedHref = /^(https?:|mailto:|[^:]*([/?#]|$))/i;

const translators: Translators = {
  // The library makes a block only of `pre` with a `code` inside, in a fence that the content can close.
  pre: ({ node }) => ({
    surroundingNewlines: 2,
    recurse: false,
    preserveWhitespace: true,
    content: fencedCode(
      node.textContent.replace(/^\n|\n$/g, ''),
      /\blanguage-([\w+#.-]+)/.exec(node.innerHTML.slice(0, 200))?.[1] ?? '',
    ),
  }),
};

/**
 * Converts HTML. Drops scripts, styles and `data:` images.
 *
 * @throws ConversionError
 */
export function htmlToMarkdown(html: string): string {
  try {
    // Only container elements are converted in chunks; a fragment may have none.
    return createTranslator().translate(
      `<div>${html.replace(declarations, (found) => (found.startsWith('<!--') ? found : ''))}</div>`,
    );
  } catch (error) {
    throw ConversionError.unreadable('HTML', error);
  }
}

function createTranslator(): NodeHtmlMarkdown {
  const translator = new NodeHtmlMarkdown({ ignore: ignoredElements, bulletMarker: '-' }, translators);
  const link = translator.translators.get('a');
  if (typeof link === 'function') {
    const safe: typeof link = (context) =>
      allowedHref.test((context.node.getAttribute('href') ?? '').trim()) ? link(context) : {};
    translator.translators.set('a', safe);
    translator.tableCellTranslators.set('a', safe);
  }
  translator.translators.set(
    containerElements,
    inChunks((chunk) => translator.translate(chunk)),
  );
  const { tableCellTranslators } = translator;
  // A cell is one line of Markdown: blocks in it become line breaks.
  tableCellTranslators.set('br', { content: '\n', recurse: false });
  tableCellTranslators.set('p,div,li,h1,h2,h3,h4,h5,h6,pre,blockquote', { surroundingNewlines: 1 });
  translator.tableRowTranslators.set('td,th', {
    prefix: ' ',
    postfix: ' |',
    preserveIfEmpty: true,
    childTranslators: tableCellTranslators,
    postprocess: ({ content }) =>
      content
        .replaceAll('|', '\\|')
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== '')
        .join('<br>'),
  });
  return translator;
}
