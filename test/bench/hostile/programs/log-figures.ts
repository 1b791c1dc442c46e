import { isJsonObject, parseJson } from '../../../../src/json/json.ts';

/** What a program logged during an attack. */
export interface LogFigures {
  readonly lines: number;
  /** Lines at `warn` and above, and lines that are no JSON, such as those of a crash. */
  readonly warnings: number;
  /** Characters of the longest line. */
  readonly longest: number;
  /** The first of the warnings. */
  readonly first: string | undefined;
}

export function logFigures(lines: readonly string[]): LogFigures {
  const warnings = lines.filter((line) => line !== '' && !isHarmless(line));
  return {
    lines: lines.length,
    warnings: warnings.length,
    longest: lines.reduce((longest, line) => Math.max(longest, line.length), 0),
    first: warnings[0],
  };
}

/** Returns how many lines say this. */
export function linesWith(lines: readonly string[], words: string): number {
  return lines.filter((line) => line.includes(words)).length;
}

function isHarmless(line: string): boolean {
  const json = parseJson(line)?.value;
  return isJsonObject(json) && (json['level'] === 'info' || json['level'] === 'debug');
}
