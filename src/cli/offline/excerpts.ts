import { readFileSync } from 'node:fs';
import { oneLine } from './style.ts';

/** A position in a file, both counted from 1. */
export interface FilePlace {
  readonly file: string;
  readonly line: number | undefined;
  readonly column: number | undefined;
}

/** Splits `<file>:<line>:<column>`; a place without a position is a file. */
export function parsePlace(place: string): FilePlace {
  const match = /^(?<file>.*):(?<line>\d+):(?<column>\d+)$/s.exec(place);
  if (match?.groups === undefined) return { file: place, line: undefined, column: undefined };
  const { file = place, line, column } = match.groups;
  return { file, line: Number(line), column: Number(column) };
}

/** Characters of a line that are shown. */
const width = 110;

/** Shows lines of files with a caret below a column. Reads each file once. */
export class Excerpts {
  readonly #texts: ReadonlyMap<string, string>;
  readonly #lines = new Map<string, readonly string[]>();

  /** @param texts those that no file has, by path */
  constructor(texts: ReadonlyMap<string, string>) {
    this.#texts = texts;
  }

  /** The line with its number, and a line with the caret; empty for a place without a position. */
  at(place: string): readonly string[] {
    const { file, line, column } = parsePlace(place);
    if (line === undefined || column === undefined) return [];
    const text = this.#linesOf(file)[line - 1];
    if (text === undefined) return [];
    const start = column > width ? column - width / 2 : 0;
    const number = `${line}`.padStart(5);
    const shown = oneLine(text.slice(start, start + width));
    return [`${number} | ${shown}`, `${' '.repeat(5)} | ${' '.repeat(column - 1 - start)}^`];
  }

  #linesOf(file: string): readonly string[] {
    const known = this.#lines.get(file);
    if (known !== undefined) return known;
    const lines = (this.#texts.get(file) ?? read(file)).split(/\r?\n/);
    this.#lines.set(file, lines);
    return lines;
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
