import { detached } from './detached.ts';

/** The most characters that a message repeats of one text from outside, marks included. */
const maxLength = 200;

/** What JSON leaves as it is although it moves a terminal's cursor or changes the direction of the text around it. */
const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** A short text without anything to escape, which is what most are. */
const plain = /^[\x20\x21\x23-\x5b\x5d-\x7e]{0,198}$/;

/**
 * Quotes a text from outside for a message: on one line, as a JSON string with invisible characters escaped, 200
 * characters at most; `…` follows a quotation that is cut short. Takes the same time for a text of any length.
 */
export function quoted(text: string): string {
  if (plain.test(text)) return `"${text}"`;
  let escaped = '';
  for (const character of text.slice(0, maxLength)) {
    const next = escapedCharacter(character);
    // Room for both quotation marks and the ellipsis.
    if (escaped.length + next.length > maxLength - 3) return `"${escaped}"…`;
    escaped += next;
  }
  return `"${escaped}"${text.length > maxLength ? '…' : ''}`;
}

/**
 * Shortens a text from outside that is a message itself, such as that of a library or of a server: one line, 200
 * characters at most, without quotation marks. A text that is cut short ends in `…`.
 */
export function shortened(text: string): string {
  // Logs and states keep such a line, and must not keep the text.
  const begin = text.length > 2 * maxLength ? detached(text.slice(0, 2 * maxLength)) : text;
  const line = begin
    .replace(/[\s\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
    .toWellFormed();
  const cut = line.length > maxLength || text.length > 2 * maxLength;
  return cut ? `${line.slice(0, maxLength - 1).toWellFormed()}…` : line;
}

function escapedCharacter(character: string): string {
  const escaped = JSON.stringify(character).slice(1, -1);
  return invisible.test(escaped) ? `\\u{${character.codePointAt(0)?.toString(16)}}` : escaped;
}
