/** A regular expression, read. */
export type Expression =
  /** One character. */
  | { readonly kind: 'one'; readonly accepts: (character: number) => boolean }
  | { readonly kind: 'sequence'; readonly parts: readonly Expression[] }
  | { readonly kind: 'either'; readonly options: readonly Expression[] }
  /** `most` may be Infinity. */
  | { readonly kind: 'repeat'; readonly of: Expression; readonly least: number; readonly most: number }
  /** The beginning or the end of the text. */
  | { readonly kind: 'edge'; readonly edge: 'start' | 'end' };

type Test = (character: number) => boolean;

/** What RE2 allows at most. */
const mostRepetitions = 1000;

/**
 * Reads the part of RE2's syntax (https://github.com/google/re2/wiki/Syntax) that needs no tables and no memory:
 * characters, classes, groups, alternatives, repetitions and the edges of the text.
 *
 * @throws {SyntaxError} saying what is not understood, and where
 */
export function parseRegex(pattern: string): Expression {
  return new Parser(pattern).whole();
}

class Parser {
  readonly #characters: readonly string[];
  #at = 0;

  constructor(pattern: string) {
    this.#characters = [...pattern];
  }

  whole(): Expression {
    const expression = this.#either();
    if (this.#next !== undefined) throw this.#error('")" closes nothing');
    return expression;
  }

  get #next(): string | undefined {
    return this.#characters[this.#at];
  }

  #take(text: string): boolean {
    const found = this.#characters.slice(this.#at, this.#at + text.length).join('') === text;
    if (found) this.#at += text.length;
    return found;
  }

  /** Moves on past what the expression, which is sticky, matches here. */
  #match(expression: RegExp): RegExpExecArray | undefined {
    const found = expression.exec(this.#characters.slice(this.#at, this.#at + 64).join(''));
    if (found === null) return undefined;
    this.#at += found[0].length;
    return found;
  }

  #either(): Expression {
    const options = [this.#sequence()];
    while (this.#take('|')) options.push(this.#sequence());
    const [only] = options;
    return only !== undefined && options.length === 1 ? only : { kind: 'either', options };
  }

  #sequence(): Expression {
    const parts: Expression[] = [];
    while (this.#next !== undefined && this.#next !== '|' && this.#next !== ')') parts.push(this.#repeated());
    return { kind: 'sequence', parts };
  }

  #repeated(): Expression {
    const of = this.#single();
    const count = this.#count();
    if (count === undefined) return of;
    // Lazy or not makes no difference to whether there is a match.
    this.#take('?');
    if (this.#count() !== undefined) throw this.#error('a repetition of a repetition; put the inner one in brackets');
    return { kind: 'repeat', of, ...count };
  }

  #count(): { readonly least: number; readonly most: number } | undefined {
    if (this.#take('*')) return { least: 0, most: Infinity };
    if (this.#take('+')) return { least: 1, most: Infinity };
    if (this.#take('?')) return { least: 0, most: 1 };
    const counted = this.#match(/^\{(\d{1,9})(,(\d{0,9}))?\}/);
    if (counted === undefined) return undefined;
    const [, from, range, to] = counted;
    const least = Number(from);
    const most = range === undefined ? least : to === '' ? Infinity : Number(to);
    if (least > most) throw this.#error('a repetition whose least is more than its most');
    if (least > mostRepetitions || (most !== Infinity && most > mostRepetitions)) {
      throw this.#error(`a repetition of more than ${mostRepetitions}`);
    }
    return { least, most };
  }

  #single(): Expression {
    if (this.#take('(')) return this.#group();
    if (this.#take('[')) return { kind: 'one', accepts: this.#class() };
    if (this.#take('.')) return { kind: 'one', accepts: (character) => character !== codeOf('\n') };
    if (this.#take('^') || this.#take('\\A')) return { kind: 'edge', edge: 'start' };
    if (this.#take('$') || this.#take('\\z')) return { kind: 'edge', edge: 'end' };
    if (this.#count() !== undefined) throw this.#error('a repetition of nothing');
    return { kind: 'one', accepts: this.#character() };
  }

  #group(): Expression {
    if (this.#next === '?' && this.#match(/^\?(:|P?<\w+>)/) === undefined) {
      throw this.#error('only (?:…) and named groups may begin with "(?"; flags are not supported');
    }
    const inside = this.#either();
    if (!this.#take(')')) throw this.#error('a "(" without its ")"');
    return inside;
  }

  #class(): Test {
    const negated = this.#take('^');
    const tests: Test[] = [];
    for (let first = true; first || this.#next !== ']'; first = false) {
      if (this.#next === undefined) throw this.#error('a "[" without its "]"');
      if (this.#take('[:')) throw this.#error('named classes such as [:alpha:] are not supported');
      tests.push(this.#range());
    }
    this.#at += 1;
    const accepts: Test = (character) => tests.some((test) => test(character));
    return negated ? (character) => !accepts(character) : accepts;
  }

  #range(): Test {
    const set = this.#set();
    if (set !== undefined) return set;
    const from = this.#code();
    const after = this.#characters[this.#at + 1];
    if (this.#next !== '-' || after === undefined || after === ']') return (character) => character === from;
    this.#at += 1;
    const to = this.#set() === undefined ? this.#code() : Number.NaN;
    if (!(from <= to)) throw this.#error('a range that ends before it begins');
    return (character) => from <= character && character <= to;
  }

  #character(): Test {
    const set = this.#set();
    if (set !== undefined) return set;
    const code = this.#code();
    return (character) => character === code;
  }

  /** `\d` and its like. */
  #set(): Test | undefined {
    const name = this.#match(/^\\([dDwWsS])/)?.[1];
    const within = sets.get(name?.toLowerCase() ?? '');
    if (name === undefined || within === undefined) return undefined;
    return name === name.toLowerCase() ? within : (character) => !within(character);
  }

  #code(): number {
    const hexadecimal = this.#match(/^\\x(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]{1,6})\})/);
    if (hexadecimal !== undefined) return Number.parseInt(hexadecimal[1] ?? hexadecimal[2] ?? '', 16);
    const control = this.#match(/^\\([tnrfv])/)?.[1];
    if (control !== undefined) return codeOf(controls.get(control) ?? '');
    if (this.#take('\\') && !/^[!-/:-@[-`{-~]$/.test(this.#next ?? '')) {
      throw this.#error(`the escape "\\${this.#next ?? ''}" is not supported`);
    }
    const code = codeOf(this.#next ?? '');
    this.#at += 1;
    return code;
  }

  #error(problem: string): SyntaxError {
    return new SyntaxError(`${problem} (at character ${this.#at + 1})`);
  }
}

function codeOf(character: string): number {
  return character.codePointAt(0) ?? -1;
}

/** In RE2 these know ASCII only. */
const sets: ReadonlyMap<string, Test> = new Map([
  ['d', (character: number) => /\d/.test(String.fromCodePoint(character))],
  ['w', (character: number) => /\w/.test(String.fromCodePoint(character))],
  ['s', (character: number) => /[\t\n\f\r ]/.test(String.fromCodePoint(character))],
]);

const controls: ReadonlyMap<string, string> = new Map([
  ['t', '\t'],
  ['n', '\n'],
  ['r', '\r'],
  ['f', '\f'],
  ['v', '\v'],
]);
