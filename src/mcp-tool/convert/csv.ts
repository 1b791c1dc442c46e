import { parse } from 'csv-parse/sync';
import { tooLarge } from '../fetch/response-body.ts';
import { Refusal } from '../conversion-error.ts';

/**
 * Converts a table; its first row is the header. Short rows are filled up, so that every row has as many cells as the
 * longest. Without a `delimiter` the header decides which it is: comma, semicolon, tab or pipe.
 *
 * @param limit of the Markdown, in characters, known before it is built: a single long row widens all.
 */
export function csvToMarkdown(text: string, delimiter: string | undefined, limit: number): string {
  const rows = readRows(text, delimiter ?? delimiterOf(text));
  const width = rows.reduce((most, row) => Math.max(most, row.length), 0);
  if (rows.length * width * '| '.length > limit) throw tooLarge('The table', limit);
  const [header, ...body] = rows.map((row) =>
    line(Array.from({ length: width }, (_, column) => cell(row[column] ?? ''))),
  );
  return header === undefined ? '' : [header, line(Array(width).fill('---')), ...body].join('\n');
}

function readRows(text: string, delimiter: string): readonly (readonly string[])[] {
  try {
    return parse(text, { delimiter, relaxColumnCount: true, relaxQuotes: true, skipEmptyLines: true });
  } catch (error) {
    throw Refusal.damaged('CSV', error);
  }
}

/** What separates most in the first line, outside of quotes. */
function delimiterOf(text: string): string {
  const header = /^(?:"(?:[^"]|"")*"|[^"\r\n])*/.exec(text.trimStart())?.[0].replace(/"(?:[^"]|"")*"/g, '') ?? '';
  const counted = [',', ';', '\t', '|'].map((delimiter) => ({ delimiter, count: header.split(delimiter).length }));
  return counted.reduce((best, candidate) => (candidate.count > best.count ? candidate : best)).delimiter;
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** A backslash in front of a pipe would undo its escape, so backslashes are escaped too (https://github.github.com/gfm/#tables-extension-). */
function cell(value: string): string {
  return value
    .trim()
    .replace(/[\\|]/g, '\\$&')
    .replace(/\r\n|\r|\n/g, '<br>');
}
