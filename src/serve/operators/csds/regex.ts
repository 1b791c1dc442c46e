import { type Expression, parseRegex } from './regex-parser.ts';

/** About how much work one character may be. */
const mostStates = 1000;
const longestPattern = 1024;

/** A state of the machine that reads the text once, from left to right, in all states at once. */
type State =
  | { readonly kind: 'one'; readonly accepts: (character: number) => boolean; readonly next: State }
  | { readonly kind: 'edge'; readonly edge: 'start' | 'end'; readonly next: State }
  | { readonly kind: 'split'; readonly to: State[] }
  | { readonly kind: 'end' };

/**
 * A regular expression that the whole text has to match. Its cost is at most the length of the text times the size of
 * the expression, whatever both are: JavaScript's own could take years for a pattern that somebody else chose.
 *
 * @throws {SyntaxError} for a pattern that is ill-formed, not supported, or too large
 */
export function compileRegex(pattern: string): (text: string) => boolean {
  if (pattern.length > longestPattern) throw new SyntaxError(`longer than ${longestPattern} characters`);
  const start = new Compiler().statesOf(parseRegex(pattern), { kind: 'end' });
  return (text) => matches(start, text);
}

class Compiler {
  #steps = 0;

  /** The state in which the expression begins, which goes on to `next`. */
  statesOf(expression: Expression, next: State): State {
    this.#steps += 1;
    if (this.#steps > mostStates) throw new SyntaxError('too large, with its repetitions written out');
    switch (expression.kind) {
      case 'one':
      case 'edge':
        return { ...expression, next };
      case 'sequence':
        return expression.parts.reduceRight((after, part) => this.statesOf(part, after), next);
      case 'either':
        return { kind: 'split', to: expression.options.map((option) => this.statesOf(option, next)) };
      case 'repeat':
        return this.#repeat(expression.of, expression, next);
    }
  }

  #repeat(of: Expression, { least, most }: { readonly least: number; readonly most: number }, next: State): State {
    let state = next;
    if (most === Infinity) {
      const loop: State = { kind: 'split', to: [next] };
      loop.to.push(this.statesOf(of, loop));
      state = loop;
    } else {
      for (let optional = least; optional < most; optional += 1) {
        state = { kind: 'split', to: [next, this.statesOf(of, state)] };
      }
    }
    for (let required = 0; required < least; required += 1) state = this.statesOf(of, state);
    return state;
  }
}

function matches(start: State, text: string): boolean {
  const characters = [...text];
  let states = reach([start], 0, characters.length);
  for (const [position, character] of characters.entries()) {
    const code = character.codePointAt(0) ?? -1;
    const after: State[] = [];
    for (const state of states) if (state.kind === 'one' && state.accepts(code)) after.push(state.next);
    states = reach(after, position + 1, characters.length);
    if (states.size === 0) return false;
  }
  return [...states].some((state) => state.kind === 'end');
}

/** These states and all that follow from them without another character. */
function reach(from: readonly State[], position: number, length: number): ReadonlySet<State> {
  const reached = new Set<State>();
  const open = [...from];
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    if (reached.has(state)) continue;
    reached.add(state);
    if (state.kind === 'split') open.push(...state.to);
    if (state.kind === 'edge' && position === (state.edge === 'start' ? 0 : length)) open.push(state.next);
  }
  return reached;
}
