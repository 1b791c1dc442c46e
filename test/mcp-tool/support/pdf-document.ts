import { deflateSync } from 'node:zlib';

/** A line of a page; font size and distance from the bottom of the page in points. */
export type PrintedLine = readonly [text: string, size: number, y: number];

/** Builds a PDF with these pages, in Helvetica (ISO 32000-1, 7.5). */
export function pdfDocument(pages: readonly (readonly PrintedLine[])[]): Buffer {
  const contents = pages.map((lines) =>
    lines.map(([text, size, y]) => `BT /F1 ${size} Tf 72 ${y} Td (${text}) Tj ET`).join('\n'),
  );
  return withObjects(contents.map((content) => stream(Buffer.from(content), '')));
}

/** Builds a PDF whose one page decompresses to this many MiB of blanks. */
export function pdfBomb(megabytes: number): Buffer {
  const blanks = Buffer.alloc(megabytes * 1024 * 1024, ' ');
  return withObjects([stream(deflateSync(blanks), '/Filter /FlateDecode')]);
}

function stream(data: Uint8Array, entries: string): Buffer {
  return Buffer.concat([
    Buffer.from(`<< /Length ${data.length} ${entries} >>\nstream\n`),
    data,
    Buffer.from('\nendstream'),
  ]);
}

function withObjects(contents: readonly Buffer[]): Buffer {
  const pageNumber = (index: number): number => 4 + index * 2;
  const kids = contents.map((_, index) => `${pageNumber(index)} 0 R`).join(' ');
  const objects: Buffer[] = [
    Buffer.from('<< /Type /Catalog /Pages 2 0 R >>'),
    Buffer.from(`<< /Type /Pages /Kids [${kids}] /Count ${contents.length} >>`),
    Buffer.from('<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>'),
    ...contents.flatMap((content, index) => [
      Buffer.from(
        `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents ${pageNumber(index) + 1} 0 R >>`,
      ),
      content,
    ]),
  ];
  return assemble(objects);
}

function assemble(objects: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [Buffer.from('%PDF-1.4\n')];
  const offsets: number[] = [];
  for (const [index, object] of objects.entries()) {
    offsets.push(Buffer.concat(parts).length);
    parts.push(Buffer.from(`${index + 1} 0 obj\n`), object, Buffer.from('\nendobj\n'));
  }
  const table = Buffer.concat(parts).length;
  const rows = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  parts.push(
    Buffer.from(
      `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${rows}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${table}\n%%EOF\n`,
    ),
  );
  return Buffer.concat(parts);
}
