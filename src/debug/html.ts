/** What stands in a cell: text, or text that leads somewhere. */
export type Cell = string | { readonly text: string; readonly href: string };

/** A page is for looking; whoever wants everything asks for the JSON. */
const maxRows = 100;

/** A table, or the sentence `none` where it would be empty. Shows the first hundred rows and says how many there are more. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[], none: string): string {
  if (rows.length === 0) return `<p>${escaped(none)}`;
  const line = (cells: readonly Cell[], tag: string): string =>
    `<tr>${cells.map((cell) => `<${tag}>${content(cell)}</${tag}>`).join('')}</tr>`;
  const shown = rows.slice(0, maxRows).map((row) => line(row, 'td'));
  const more = rows.length > maxRows ? `<p>… and ${rows.length - maxRows} more.` : '';
  return `<table>${line(head, 'th')}${shown.join('\n')}</table>${more}`;
}

/** Names and messages come from whoever writes manifests or connects. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function content(cell: Cell): string {
  if (typeof cell === 'string') return escaped(cell);
  return `<a href="${escaped(cell.href)}">${escaped(cell.text)}</a>`;
}
