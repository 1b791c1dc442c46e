/** A table cell: text, or a link. */
export type Cell = string | { readonly text: string; readonly href: string };

/** Rows per table; the JSON endpoints show all. */
const maxRows = 100;

/**
 * Renders a table of at most 100 rows and the number of further ones. Renders the sentence `empty` if there are none.
 */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[], empty: string): string {
  if (rows.length === 0) return `<p>${escaped(empty)}`;
  const line = (cells: readonly Cell[], tag: string): string =>
    `<tr>${cells.map((cell) => `<${tag}>${content(cell)}</${tag}>`).join('')}</tr>`;
  const shown = rows.slice(0, maxRows).map((row) => line(row, 'td'));
  const more = rows.length > maxRows ? `<p>… and ${rows.length - maxRows} more.` : '';
  return `<table>${line(head, 'th')}${shown.join('\n')}</table>${more}`;
}

/** Escapes text for HTML: names and messages come from manifests and from nodes. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function content(cell: Cell): string {
  if (typeof cell === 'string') return escaped(cell);
  return `<a href="${escaped(cell.href)}">${escaped(cell.text)}</a>`;
}
