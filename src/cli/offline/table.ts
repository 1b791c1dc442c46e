import stringWidth from 'string-width';

/** Aligns rows in columns, two blanks apart, by the width that a terminal gives each character. */
export function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, stringWidth(cell));
  }
  return rows.map((row) =>
    row
      .map((cell, at) => `${cell}${' '.repeat((widths[at] ?? 0) - stringWidth(cell))}`)
      .join('  ')
      .trimEnd(),
  );
}
