import { parseSync } from 'oxc-parser';

/** A regular expression of a source file. */
interface FoundRegExp {
  /** 1 for the first line. */
  readonly line: number;
  readonly pattern: string;
  readonly flags: string;
}

/** The regular expressions of a source file, and the lines of those that cannot be read without running it. */
export interface FoundRegExps {
  readonly literals: readonly FoundRegExp[];
  /** Lines with `RegExp(…)`, whose pattern is a value. */
  readonly dynamic: readonly number[];
}

/** Finds all regular expressions of a TypeScript file. */
export function findRegExps(file: string, source: string): FoundRegExps {
  const literals: FoundRegExp[] = [];
  const dynamic: number[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const { type, start, regex, callee } = node as AnyNode;
    if (type === 'Literal' && regex != null) {
      literals.push({ line: lineAt(source, start), pattern: regex.pattern, flags: regex.flags });
    }
    if ((type === 'NewExpression' || type === 'CallExpression') && callee?.name === 'RegExp') {
      dynamic.push(lineAt(source, start));
    }
    for (const child of Object.values(node)) visit(child);
  };
  visit(parseSync(file, source).program);
  return { literals, dynamic };
}

/** The members of ESTree nodes that are looked at here. */
interface AnyNode {
  readonly type?: string;
  readonly start?: number;
  readonly regex?: { readonly pattern: string; readonly flags: string } | null;
  readonly callee?: { readonly name?: string };
}

function lineAt(source: string, offset = 0): number {
  return source.slice(0, offset).split('\n').length;
}
