import { readFile, writeFile } from 'node:fs/promises';

/**
 * Generates the table of all limits in SECURITY.md from the tables of docs/limits.md, which also say what a client sees
 * beyond each of them. `--check` writes nothing and fails if the page is stale.
 */
const source = 'docs/limits.md';
const page = 'SECURITY.md';
const [begin, end] = ['<!-- limits: npm run generate:limits -->', '<!-- end of limits -->'];

/** The columns of docs/limits.md that are repeated, of which each of its tables may lack some. */
const columns = ['What is limited', 'Per', 'Default', 'Flag', 'Metric'] as const;

/** A table of docs/limits.md under its heading. */
interface Section {
  readonly heading: string;
  /** Cells by the name of their column. */
  readonly rows: readonly ReadonlyMap<string, string>[];
}

function sectionsOf(text: string): readonly Section[] {
  return text
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const [heading = '', ...lines] = section.split('\n');
      const [names = [], , ...rows] = lines
        .filter((line) => line.startsWith('| ') || line.startsWith('|--'))
        .map(cellsOf);
      return { heading, rows: rows.map((cells) => new Map(names.map((name, at) => [name, cells[at] ?? '']))) };
    });
}

/** The cells of a row; a `|` within one is escaped. */
function cellsOf(line: string): readonly string[] {
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim());
}

function tableOf(sections: readonly Section[]): string {
  const rows = sections.flatMap(({ heading, rows: ofSection }) => {
    const where = heading.replace(/^[A-Z](?=[a-z ])/, (first) => first.toLowerCase());
    const anchor = heading.toLowerCase().replaceAll(' ', '-');
    return ofSection.map((cells) => [
      `[${where}](${source}#${anchor})`,
      // A link within docs/limits.md leads there from the other page, too.
      ...columns.map((name) => (cells.get(name) ?? '').replaceAll('](#', `](${source}#`)),
    ]);
  });
  const lines = [['Where', ...columns], ['---', ...columns.map(() => '---')], ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const text = await readFile(page, 'utf8');
const [before, rest] = text.split(begin);
const after = rest?.split(end)[1];
if (before === undefined || after === undefined)
  throw new Error(`${page} has no place for the table: ${begin} and ${end}`);
const table = tableOf(sectionsOf(await readFile(source, 'utf8')));
const expected = `${before}${begin}\n\n${table}\n\n${end}${after}`;
if (!process.argv.includes('--check')) await writeFile(page, expected);
else if (text !== expected) {
  console.error(`${page} is stale: npm run generate:limits`);
  process.exitCode = 1;
}
