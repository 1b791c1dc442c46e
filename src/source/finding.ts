import type { InputProblem } from './model.ts';

/** Where in a file, both counted from 1; columns in UTF-16 code units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A problem of one file, which it does not name itself. */
export interface Finding extends Omit<InputProblem, 'place'> {
  /** Undefined: the file as a whole. */
  readonly position: Position | undefined;
}

/** A place as people and editors write it: `<path>:<line>:<column>`. */
export function placeText(path: string, position: Position | undefined): string {
  return position === undefined ? path : `${path}:${position.line}:${position.column}`;
}
