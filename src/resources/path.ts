import type { Path } from './model.ts';

const PLAIN_KEY = /^[A-Za-z_$][\w$-]*$/;

/** A path as people write it: `spec.rules[0].matches`; other keys in quotes, shortened. Empty for the whole object. */
export function pathText(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (step.length > 64 || !PLAIN_KEY.test(step)) text += `[${quoted(step)}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

/**
 * What somebody wrote, in quotes on one line and short enough for a message. What would move a terminal's cursor, or
 * the direction of the text around it, is escaped.
 */
export function quoted(text: string): string {
  const short = text.length > 64 ? text.slice(0, 60) : text;
  const escaped = JSON.stringify(short).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, codePoint);
  return text.length > 64 ? `${escaped}…` : escaped;
}

function codePoint(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16)}}`;
}

/** The order of problems: by position, so that the order of keys in the input changes nothing. */
export function comparePaths(a: Path, b: Path): number {
  for (const [at, step] of a.entries()) {
    const other = b[at];
    if (other === undefined) return 1;
    if (step === other) continue;
    if (typeof step === 'number' && typeof other === 'number') return step - other;
    return String(step) < String(other) ? -1 : 1;
  }
  return a.length - b.length;
}
