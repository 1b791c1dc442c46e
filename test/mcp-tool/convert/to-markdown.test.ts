import { describe, expect, it } from 'vitest';
import { toMarkdown } from '../../../src/mcp-tool/convert/to-markdown.ts';
import { parseContentType } from '../../../src/mcp-tool/source-document.ts';
import { type PrintedLine, pdfDocument } from '../support/pdf-document.ts';
import { heading, paragraph, picture, table, wordDocument, wordParts } from '../support/word-document.ts';
import { zipArchive } from '../support/zip-archive.ts';

const limit = 1024 * 1024;
const convert = (content: string | Uint8Array, type?: string, extension = ''): Promise<string> =>
  toMarkdown({ bytes: Buffer.from(content), contentType: parseContentType(type), extension }, limit);
const docx = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';

describe('HTML', () => {
  it('is converted to headings, paragraphs, lists, links and emphasis', async () => {
    const page =
      '<html><head><title>T</title></head><body><h1>A &amp; B</h1><p>One <b>bold</b> <a href="/x">link</a>.</p><ul><li>a<ul><li>b</li></ul></li></ul></body></html>';
    expect(await convert(page, 'text/html')).toBe('# A & B\n\nOne **bold** [link](/x).\n\n- a\n  - b');
  });

  it('is stripped of scripts, styles, templates and data: images', async () => {
    const page =
      '<style>s{}</style><p>kept<img alt="i" src="data:image/png;base64,AAAA"></p><SCRIPT>x()</SCRIPT><noscript>n</noscript><template>t</template>';
    expect(await convert(page, 'text/html')).toBe('kept');
  });

  it('keeps the text of a javascript: link without its target', async () => {
    const page = '<p><a href=" JavaScript:alert(1)">one</a> <a href="https://e.example/?a:b">two</a></p>';
    expect(await convert(page, 'text/html')).toBe('one [two](https://e.example/?a:b)');
  });

  it('keeps every table cell in its column, whatever it contains', async () => {
    const page =
      '<table><tr><th>a|b|c</th><th>d</th></tr><tr><td><p>1</p><p>2</p></td><td>x<br>y</td></tr><tr><td></td><td>z</td></tr></table>';
    expect(await convert(page, 'text/html')).toBe(
      ['| a\\|b\\|c | d      |', '| ------- | ------ |', '| 1<br>2  | x<br>y |', '|         | z      |'].join('\n'),
    );
  });

  it('uses the first row of a table as its header if it has none', async () => {
    const page = '<table><tr><td>h</td></tr><tr><td>c</td></tr></table>';
    expect(await convert(page, 'text/html')).toBe('| h |\n| - |\n| c |');
  });

  it('fences code so that the code cannot close the fence', async () => {
    expect(await convert('<pre>```\nx &lt; y</pre>', 'text/html')).toBe('````\n```\nx < y\n````');
    expect(await convert('<pre><code class="language-js">f()\n</code></pre>', 'text/html')).toBe('```js\nf()\n```');
  });

  it('is converted the same in chunks, when it is long', async () => {
    const part = '<section><h2>H</h2><p>One <b>two</b> &lt;three&gt;.</p><ul><li>a<div>b</div></li></ul></section>';
    const markdown = await convert(part, 'text/html');
    const page = `<html><body><main>${`<div>${part.repeat(100)}</div>`.repeat(3)}</main></body></html>`;
    expect(await convert(page, 'text/html')).toBe(Array(300).fill(markdown).join('\n\n'));
  });

  it('keeps the nesting of lists and unescaped code when they are long', async () => {
    const long = 'word_ '.repeat(5_000);
    const list = `<ul><li><div>a<p>${long}</p><ul><li>b</li></ul></div></li></ul>`;
    expect(await convert(list, 'text/html')).toMatch(/^- a[\s\S]*\n {2}- b$/);
    expect(await convert(`<code><div>${long}</div></code>`, 'text/html')).not.toContain('\\_');
  });

  it('gets no paragraph breaks between chunks of inline text', async () => {
    const words = Array.from({ length: 2_000 }, (_, index) => `w${index} <b>b${index}</b>`).join(' ');
    const markdown = await convert(`<div><p>start</p>${words}<p>end</p></div>`, 'text/html');
    expect(markdown.split('\n\n')).toHaveLength(3);
    expect(markdown).toContain('w1998 **b1998** w1999 **b1999**');
  });

  it('is rejected if it is nested too deeply', async () => {
    const deep = `${'<b>'.repeat(50_000)}x${'</b>'.repeat(50_000)}`;
    await expect(convert(deep, 'text/html')).rejects.toMatchObject({ reason: 'content' });
  });
});

describe('DOCX', () => {
  const body = [
    heading('Report'),
    paragraph('Important', '', '<w:b/>'),
    table([
      ['Name', 'Count'],
      ['a|b', '1'],
    ]),
    picture('a diagram'),
    '<w:p><w:hyperlink r:id="rId3"><w:r><w:t>site</w:t></w:r></w:hyperlink></w:p>',
  ].join('');
  const markdown = [
    '# Report',
    '**Important**',
    '| Name | Count |\n| ---- | ----- |\n| a\\|b | 1     |',
    'a diagram',
    '[site](https://example.com/)',
  ].join('\n\n');

  it('is converted to headings, tables with a header, links, and descriptions of pictures', async () => {
    expect(await convert(wordDocument(body), docx)).toBe(markdown);
  });

  it('is detected from its bytes if its type is generic', async () => {
    expect(await convert(wordDocument(body), 'application/octet-stream')).toBe(markdown);
  });

  it('is rejected before decompression if its parts together exceed the limit', async () => {
    const bomb = wordDocument(paragraph('a'.repeat(limit)));
    expect(bomb.length).toBeLessThan(limit / 4);
    await expect(convert(bomb, docx)).rejects.toThrow('The unpacked document is larger than 1 MiB.');
  });

  it('is rejected if a part is larger than its directory declares', async () => {
    const parts = wordParts(paragraph('a'.repeat(2 * limit)));
    const lying = zipArchive(
      parts.map((part) => (part.name === 'word/document.xml' ? { ...part, declaredSize: 1000 } : part)),
    );
    await expect(convert(lying, docx)).rejects.toThrow('too many bytes in the stream');
  });

  it.each([
    ['cut off', wordDocument(body).subarray(0, 2000), 'End of central directory record signature not found'],
    ['no archive', Buffer.from('not at all'), 'End of central directory record signature not found'],
    ['encrypted', zipArchive([{ name: 'word/document.xml', content: 'x', encrypted: true }]), 'is encrypted'],
    ['another archive', zipArchive([{ name: 'a.xml', content: '<a/>' }]), 'no Word document'],
    ['no XML', zipArchive(wordParts('<w:p>').map((part) => ({ ...part, content: 'x' }))), 'cannot be read as DOCX'],
    [
      'one with a part twice',
      zipArchive([
        { name: 'word/document.xml', content: 'x' },
        { name: 'word/document.xml', content: 'y' },
      ]),
      'twice',
    ],
  ])('is rejected if it is %s', async (_, bytes, message) => {
    await expect(convert(bytes, docx)).rejects.toThrow(message);
  });

  it('may have a comment and uncompressed parts', async () => {
    const parts = wordParts(body).map((part) => ({ ...part, stored: true }));
    expect(await convert(zipArchive(parts, 'made by hand'), docx)).toBe(markdown);
  });
});

describe('PDF', () => {
  const page: readonly PrintedLine[] = [
    ['Annual report', 24, 720],
    ['Results', 16, 680],
    ['The first line of a paragraph that is set', 11, 650],
    ['in two lines.', 11, 636],
    ['Another paragraph.', 11, 600],
  ];

  it('is converted to text, with headings by font size and paragraphs by distance', async () => {
    expect(await convert(pdfDocument([page, [['Second page.', 11, 720]]]), 'application/pdf')).toBe(
      [
        '# Annual report',
        '## Results',
        'The first line of a paragraph that is set\nin two lines.',
        'Another paragraph.',
        'Second page.',
      ].join('\n\n'),
    );
  });

  it('is detected from its bytes if its type is generic', async () => {
    expect(await convert(pdfDocument([[['Hello', 12, 700]]]))).toBe('Hello');
  });

  it('may have no text', async () => {
    expect(await convert(pdfDocument([[]]), 'application/pdf')).toBe('');
  });

  it('is rejected if it is damaged', async () => {
    await expect(convert('%PDF-1.7 and nothing else', 'application/pdf')).rejects.toMatchObject({ reason: 'content' });
  });
});

describe('CSV', () => {
  it('is converted to a table, with pipes, backslashes and line breaks in its cells', async () => {
    expect(await convert('a,b\n"x|y","1\n2"\n3\\|,', 'text/csv')).toBe(
      '| a | b |\n| --- | --- |\n| x\\|y | 1<br>2 |\n| 3\\\\\\| |  |',
    );
  });

  it('has its rows padded to the longest', async () => {
    expect(await convert('a,b\n1\n1,2,3\n', 'text/csv')).toBe(
      '| a | b |  |\n| --- | --- | --- |\n| 1 |  |  |\n| 1 | 2 | 3 |',
    );
  });

  it.each([
    ['semicolons', 'a;"b,;c,d"\n1;2', 'text/csv'],
    ['tabs', 'a\t"b,;c,d"\n1\t2', 'text/tab-separated-values'],
  ])('may be separated by %s', async (_, text, type) => {
    expect(await convert(text, type)).toBe('| a | b,;c,d |\n| --- | --- |\n| 1 | 2 |');
  });

  it('may be empty', async () => {
    expect(await convert('', 'text/csv')).toBe('');
  });

  it('is rejected if padding to one long row exceeds the limit', async () => {
    const wide = `${'a\n'.repeat(10_000)}${','.repeat(10_000)}b`;
    await expect(convert(wide, 'text/csv')).rejects.toThrow('The table is larger than 1 MiB.');
  });
});

describe('other text', () => {
  it('is returned unchanged if it is Markdown or plain text', async () => {
    expect(await convert('# As\n\nit *is*', 'text/markdown')).toBe('# As\n\nit *is*');
    expect(await convert('plain', 'text/plain; charset=utf-8')).toBe('plain');
  });

  it('is fenced if it is JSON or XML', async () => {
    expect(await convert('{"a": "```"}\n', 'application/problem+json')).toBe('````json\n{"a": "```"}\n````');
    expect(await convert('<rss/>', 'application/rss+xml')).toBe('```xml\n<rss/>\n```');
  });

  it.each([
    ['UTF-8 by default', Buffer.from('déjà'), 'text/plain'],
    ['windows-1252 if it is not valid UTF-8', Buffer.from('déjà', 'latin1'), 'text/plain'],
    ['the charset of its type', Buffer.from('déjà', 'utf16le'), 'text/plain; charset=UTF-16LE'],
    ['the encoding of its byte order mark', Buffer.from('\ufeffdéjà', 'utf16le'), 'text/plain; charset=latin1'],
    ['UTF-8 if its type has an unknown charset', Buffer.from('déjà'), 'text/plain; charset=klingon'],
  ])('is decoded as %s', async (_, bytes, type) => {
    expect(await convert(bytes, type)).toBe('déjà');
  });

  it('is decoded with the charset that an HTML page declares', async () => {
    const page = Buffer.from(
      '<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-2"><p>\xb1</p>',
      'latin1',
    );
    expect(await convert(page, 'text/html')).toBe('ą');
    expect(await convert('<meta charset="utf-16"><p>ą</p>', 'text/html')).toBe('ą');
  });

  it('is rejected if its content is binary', async () => {
    await expect(convert('a\0b', 'text/plain')).rejects.toThrow('its content is binary');
  });
});

describe('a document without a specific type', () => {
  it.each([
    ['HTML', '\n<?xml version="1.0"?><!DOCTYPE html><!-- c --><p>x</p>', '', 'x'],
    ['a table, by its extension', 'a,b', '.csv', '| a | b |\n| --- | --- |'],
    ['text', 'just text', '', 'just text'],
    ['text, despite its extension', 'just text', '.exe', 'just text'],
  ])('is detected as %s', async (_, content, extension, markdown) => {
    expect(await convert(content, 'application/octet-stream', extension)).toBe(markdown);
    expect(await convert(content, undefined, extension)).toBe(markdown);
  });

  it('is rejected if it is another binary format', async () => {
    await expect(convert(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1]))).rejects.toThrow('There is no converter');
  });

  it.each(['image/png', 'image/svg+xml', 'audio/mpeg', 'application/vnd.ms-excel'])(
    'of type %s is rejected',
    async (type) => {
      await expect(convert('x', type)).rejects.toThrow(`documents of type ${type}`);
    },
  );
});
