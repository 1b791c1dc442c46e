/** The longest pattern; characters. */
const maxPattern = 1024;

/**
 * The largest program, in instructions of RE2. A match takes time at most proportional to this times the text length.
 */
const maxProgram = 1000;

/**
 * The largest estimated program that is compiled, in about 20 ms. Most programs are much smaller than their estimate.
 */
const maxEstimate = 10_000;

/** The most expressions of one request. Together they take about 100 ms to compile, and 5 ms to match a node. */
const maxExpressions = 5;

/** Compiles an expression; throws a SyntaxError for one that is invalid, too large, or one too many. */
export type CompileRegex = (pattern: string) => Promise<(text: string) => boolean>;

/** Creates the compiler of one request, which bounds the sum of its expressions. */
export function regexCompiler(): CompileRegex {
  let left = maxExpressions;
  return async (pattern) => {
    left -= 1;
    if (left < 0) throw new SyntaxError(`more than ${maxExpressions} regular expressions in one request`);
    return compileRegex(pattern);
  };
}

/**
 * Compiles a regular expression in the syntax of RE2 (https://github.com/google/re2/wiki/Syntax), which the whole text
 * has to match, as in Envoy. A match takes linear time for any pattern and any text; a RegExp of JavaScript may take
 * exponential time. re2js is imported here, because it takes 7 MB and most processes never need it.
 *
 * @throws {SyntaxError} for a pattern that is invalid or too large
 */
export async function compileRegex(pattern: string): Promise<(text: string) => boolean> {
  if (pattern.length > maxPattern) throw new SyntaxError(`longer than ${maxPattern} characters`);
  if (estimateProgram(pattern) > maxEstimate) throw new SyntaxError('too large, with its repetitions written out');
  const { RE2JS, RE2JSException } = await import('re2js');
  try {
    const regex = RE2JS.compile(pattern);
    const size = regex.programSize();
    if (size > maxProgram) throw new SyntaxError(`too large: ${size} instructions, of ${maxProgram} allowed`);
    return (text) => regex.testExact(text);
  } catch (error) {
    throw error instanceof RE2JSException ? new SyntaxError(error.message) : error;
  }
}

/**
 * Estimates the program size from above. re2js has no limit of its own: `(((a…){10}){10}){10}` within 1,024 characters
 * compiles to 900,000 instructions, in 1.2 s and 200 MB. A counted repetition after `)` (or after `\E`, which may be
 * empty text after a group) may repeat the whole pattern; any other one repeats a single character or class.
 */
function estimateProgram(pattern: string): number {
  let size = pattern.length;
  let factor = 1;
  for (const [, before, from, to] of pattern.matchAll(/(.)\{(\d+)(?:,(\d*))?\}/gs)) {
    const count = Math.max(Number(from), Number(to ?? 0)) + 1;
    if (before === ')' || before === 'E') factor *= count;
    else size += 2 * count;
  }
  return size * factor;
}
