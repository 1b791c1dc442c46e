import { parse } from 'csv-parse/sync';
import { ConversionError } from '../conversion-error.ts';
import { tableCell, tableRow } from './markdown-syntax.ts';

/**
 * Converts CSV to a table whose header is the first row. Pads every row to the length of the longest.
 *
 * @param delimiter default: the most frequent of comma, semicolon, tab and pipe in the first row
 * @param limit characters of the Markdown; checked before the table is built, because one long row widens all
 */
export function csvToMarkdown(text: string, delimiter: string | undefined, limit: number): string {
  const rows = parseRows(text, delimiter ?? detectDelimiter(text));
  const width = rows.reduce((most, row) => Math.max(most, row.length), 0);
  if (rows.length * width * '| '.length > limit) throw ConversionError.tooLarge('The table', limit);
  const [header, ...body] = rows.map((row) =>
    tableRow(Array.from({ length: width }, (_, column) => tableCell(row[column] ?? ''))),
  );
  return header === undefined ? '' : [header, tableRow(Array(width).fill('---')), ...body].join('\n');
}

function parseRows(text: string, delimiter: string): readonly (readonly string[])[] {
  try {
    return parse(text, { delimiter, relaxColumnCount: true, relaxQuotes: true, skipEmptyLines: true });
  } catch (error) {
    throw ConversionError.unreadable('CSV', error);
  }
}

function detectDelimiter(text: string): string {
  const quoted = /"(?:[^"]|"")*"/g;
  const header = /^(?:"(?:[^"]|"")*"|[^"\r\n])*/.exec(text.trimStart())?.[0].replace(quoted, '') ?? '';
  const counts = [',', ';', '\t', '|'].map((delimiter) => ({ delimiter, count: header.split(delimiter).length }));
  return counts.reduce((best, candidate) => (candidate.count > best.count ? candidate : best)).delimiter;
}
