import { type ArchivedFile, zipArchive } from './zip-archive.ts';

const w = 'http://schemas.openxmlformats.org/wordprocessingml/2006/main';
const office = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const packages = 'http://schemas.openxmlformats.org/package/2006';

/** Builds the parts of a Word document with this body, which is WordprocessingML. */
export function wordParts(body: string): readonly ArchivedFile[] {
  return [
    {
      name: '[Content_Types].xml',
      content: `<Types xmlns="${packages}/content-types"><Default Extension="xml" ContentType="application/xml"/><Default Extension="png" ContentType="image/png"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>`,
    },
    {
      name: '_rels/.rels',
      content: `<Relationships xmlns="${packages}/relationships"><Relationship Id="rId1" Type="${office}/officeDocument" Target="word/document.xml"/></Relationships>`,
    },
    {
      name: 'word/_rels/document.xml.rels',
      content: `<Relationships xmlns="${packages}/relationships"><Relationship Id="rId1" Type="${office}/styles" Target="styles.xml"/><Relationship Id="rId2" Type="${office}/image" Target="media/image1.png"/><Relationship Id="rId3" Type="${office}/hyperlink" Target="https://example.com/" TargetMode="External"/></Relationships>`,
    },
    {
      name: 'word/styles.xml',
      content: `<w:styles xmlns:w="${w}"><w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/></w:style></w:styles>`,
    },
    { name: 'word/media/image1.png', content: Buffer.alloc(200_000, 7), stored: true },
    {
      name: 'word/document.xml',
      content: `<w:document xmlns:w="${w}" xmlns:r="${office}" xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture"><w:body>${body}</w:body></w:document>`,
    },
  ];
}

/** Builds a Word document with this body. */
export function wordDocument(body: string): Buffer {
  return zipArchive(wordParts(body));
}

/** Builds a paragraph; `properties` are the content of `w:pPr`, `style` that of its run's `w:rPr`. */
export function paragraph(text: string, properties = '', style = ''): string {
  return `<w:p><w:pPr>${properties}</w:pPr><w:r><w:rPr>${style}</w:rPr><w:t xml:space="preserve">${text}</w:t></w:r></w:p>`;
}

export function heading(text: string): string {
  return paragraph(text, '<w:pStyle w:val="Heading1"/>');
}

/** Builds a table; each cell is a paragraph. */
export function table(rows: readonly (readonly string[])[]): string {
  const cells = (row: readonly string[]): string => row.map((text) => `<w:tc>${paragraph(text)}</w:tc>`).join('');
  return `<w:tbl>${rows.map((row) => `<w:tr>${cells(row)}</w:tr>`).join('')}</w:tbl>`;
}

/** Builds a reference to the document's picture, with a description. */
export function picture(description: string): string {
  return `<w:p><w:r><w:drawing><wp:inline><wp:docPr id="1" name="p" descr="${description}"/><a:graphic><a:graphicData><pic:pic><pic:blipFill><a:blip r:embed="rId2"/></pic:blipFill></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>`;
}
