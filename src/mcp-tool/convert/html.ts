import { NodeHtmlMarkdown } from 'node-html-markdown';
import { fenced } from './markdown-syntax.ts';
import { groups, inPieces } from './html-chunks.ts';
import { Refusal } from '../conversion-error.ts';

type Translators = NonNullable<ConstructorParameters<typeof NodeHtmlMarkdown>[1]>;

/** What nobody reads: code, styles, and what stands in only where scripts do not run. */
const unread = ['script', 'style', 'noscript', 'template', 'title', 'svg', 'iframe', 'object', 'select', 'button'];

/** `<!DOCTYPE …>` and `<?xml …?>`, which the library takes for text. */
const declarations = /<(!(?!--)|\?)[^<>]*>/g;

/** Where a page may link to; a link elsewhere (`javascript:`) keeps its text. Relative links stay relative. */
const linkable = /^(https?:|mailto:|[^:]*([/?#]|$))/i;

const translators: Translators = {
  // Without this only a `pre` around a `code` becomes a block, in a fence that its content may end.
  pre: ({ node }) => ({
    surroundingNewlines: 2,
    recurse: false,
    preserveWhitespace: true,
    content: fenced(
      node.textContent.replace(/^\n|\n$/g, ''),
      /\blanguage-([\w+#.-]+)/.exec(node.innerHTML.slice(0, 200))?.[1] ?? '',
    ),
  }),
};

/** Converts a page. Scripts, styles and `data:` images are left out. */
export function htmlToMarkdown(html: string): string {
  try {
    // A fragment has no element around it all, which could be divided.
    return createTranslator().translate(`<div>${html.replace(declarations, '')}</div>`);
  } catch (error) {
    throw Refusal.damaged('HTML', error);
  }
}

function createTranslator(): NodeHtmlMarkdown {
  const translator = new NodeHtmlMarkdown({ ignore: unread, bulletMarker: '-' }, translators);
  const link = translator.translators.get('a');
  if (typeof link === 'function') {
    const safe: typeof link = (context) =>
      linkable.test((context.node.getAttribute('href') ?? '').trim()) ? link(context) : {};
    translator.translators.set('a', safe);
    translator.tableCellTranslators.set('a', safe);
  }
  translator.translators.set(
    groups,
    inPieces((piece) => translator.translate(piece)),
  );
  const { tableCellTranslators } = translator;
  // A cell is one line: what would begin a new one is a line break inside.
  tableCellTranslators.set('br', { content: '\n', recurse: false });
  tableCellTranslators.set('p,div,li,h1,h2,h3,h4,h5,h6,pre,blockquote', { surroundingNewlines: 1 });
  translator.tableRowTranslators.set('td,th', {
    prefix: ' ',
    postfix: ' |',
    preserveIfEmpty: true,
    childTranslators: tableCellTranslators,
    postprocess: ({ content }) =>
      content
        .trim()
        .replaceAll('|', '\\|')
        .replace(/\s*\n\s*/g, '<br>'),
  });
  return translator;
}
