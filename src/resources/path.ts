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

/** What somebody wrote, in quotes on one line and short enough for a message. */
export function quoted(text: string): string {
  return text.length > 64 ? `${JSON.stringify(text.slice(0, 60))}…` : JSON.stringify(text);
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
