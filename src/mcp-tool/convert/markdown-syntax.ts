/**
 * Writes a fenced code block whose fence is longer than every run of backticks in the code.
 * @see https://spec.commonmark.org/0.31.2/#fenced-code-blocks
 */
export function fencedCode(code: string, language: string): string {
  const longest = (code.match(/`+/g) ?? []).reduce((most, run) => Math.max(most, run.length), 2);
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${code}\n${fence}`;
}

/** Writes one row of a table; the cells are escaped already. */
export function tableRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/**
 * Escapes the text of a table cell: pipes, backslashes (one before a pipe would undo its escape) and line breaks.
 * @see https://github.github.com/gfm/#tables-extension-
 */
export function tableCell(text: string): string {
  return text
    .trim()
    .replace(/[\\|]/g, '\\$&')
    .replace(/\r\n|\r|\n/g, '<br>');
}
