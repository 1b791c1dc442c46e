import { createHash } from 'node:crypto';
import type { QualifiedName } from './qualified-names.ts';

/*
 * Names of tools and prompts for hosts that refuse a list over one name that does not match `^[a-zA-Z0-9_-]{1,64}$`:
 *
 *   default/mcp-tool   convert_to_markdown    default_mcp-tool__convert_to_markdown
 *   default/mcp-tool   files.read             default_mcp-tool__files--dread
 *
 * A slash of the target's name becomes `_`, and the first `__` ends the target. What is no letter, digit, `-` or `_`
 * becomes an escape, which begins with `--`. A hyphen that could be taken for the beginning of one, an underscore of a
 * target's name, and a slash beside another one or at an end, are escaped, too. So no two names become one, and each
 * can be parsed without knowing any list. Only a name that would be longer than 64 characters is cut and ends with
 * `--h` and a hash of the whole: whose it is, lists say.
 */

/** The longest name that all known hosts take. */
const maxLength = 64;

/** Characters of a hash in base 32, which stand for 65 bits. */
const hashLength = 13;

const separator = '__';

/** Escapes after `--`; any other character is `x`, its code point in hex, and `z`. */
const escapes: Readonly<Record<string, string>> = { '/': 's', '-': 'm', _: 'u', '.': 'd', ':': 'c' };
const unescaped = new Map(Object.entries(escapes).map(([character, code]) => [code, character]));

/** A portable name that was parsed: complete, or one that ends with a hash. */
export type PortableName = ({ readonly kind: 'name' } & QualifiedName) | { readonly kind: 'hashed' };

/** Formats a name that matches `^[a-zA-Z0-9_-]{1,64}$`. */
export function portableName({ target, name }: QualifiedName): string {
  const whole = `${encodeTarget(target)}${separator}${encode(name, keepsUnderscore)}`;
  if (whole.length <= maxLength) return whole;
  const digest = createHash('sha256').update(whole).digest();
  const hash = Array.from(digest.subarray(0, hashLength), (byte) => (byte % 32).toString(32)).join('');
  return `${whole.slice(0, maxLength - hashLength - '--h'.length)}--h${hash}`;
}

/** Parses what {@link portableName} formats; `undefined` for any other text. */
export function parsePortableName(text: string): PortableName | undefined {
  if (text.length > maxLength) return undefined;
  if (/--h[0-9a-v]{13}$/.test(text)) return { kind: 'hashed' };
  const end = text.indexOf(separator);
  if (end < 1) return undefined;
  const target = decode(text.slice(0, end), '/');
  const name = decode(text.slice(end + separator.length), '_');
  if (target === undefined || name === undefined || target === '' || name === '') return undefined;
  // Each name has one spelling.
  return portableName({ target, name }) === text ? { kind: 'name', target, name } : undefined;
}

function encodeTarget(target: string): string {
  return encode(target, (character, before, after) =>
    character === '/' && isInner(before) && isInner(after) ? '_' : undefined,
  );
}

/** A slash between two of these is written as `_`. */
function isInner(neighbour: string | undefined): boolean {
  return neighbour !== undefined && neighbour !== '/';
}

function keepsUnderscore(character: string): string | undefined {
  return character === '_' ? '_' : undefined;
}

type Special = (character: string, before: string | undefined, after: string | undefined) => string | undefined;

/** What is not written as it is, as far as that can be said without its neighbours; by code points. */
const notPlain = /[^a-zA-Z0-9]/gu;

/** @param special what is written for some characters instead */
function encode(text: string, special: Special): string {
  return text.replace(notPlain, (character, index: number) => {
    const [before, after] = [text[index - 1], text[index + character.length]];
    if (character === '-' && after !== undefined && isPlain(after)) return character;
    return special(character, before, after) ?? escaped(character);
  });
}

function escaped(character: string): string {
  const code = Object.hasOwn(escapes, character) ? escapes[character] : undefined;
  return `--${code ?? `x${character.codePointAt(0)?.toString(16)}z`}`;
}

function isPlain(character: string): boolean {
  return /^[a-zA-Z0-9]$/.test(character);
}

/** @param underscore what a plain `_` stands for */
function decode(text: string, underscore: string): string | undefined {
  let decoded = '';
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charAt(index);
    if (character !== '-' || text.charAt(index + 1) !== '-') {
      decoded += character === '_' ? underscore : character;
      continue;
    }
    const [whole, code = '', hex] = /^--(?:x([0-9a-f]{1,6})z|([smudc]))/.exec(text.slice(index, index + 12)) ?? [];
    const found = hex === undefined ? Number.parseInt(code, 16) : unescaped.get(hex);
    if (whole === undefined || found === undefined) return undefined;
    if (typeof found === 'number' && found > 0x10ffff) return undefined;
    decoded += typeof found === 'number' ? String.fromCodePoint(found) : found;
    index += whole.length - 1;
  }
  return decoded;
}
