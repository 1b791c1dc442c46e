/** The limit of the API, in bytes. */
const longestNote = 1_024;

/** A note that the API takes: well-formed, and cut off at the end of a character. */
export function noteOf(text: string): string {
  const wellFormed = text.toWellFormed();
  if (Buffer.byteLength(wellFormed) <= longestNote) return wellFormed;
  const ellipsis = '…';
  const bytes = Buffer.from(wellFormed).subarray(0, longestNote - Buffer.byteLength(ellipsis));
  // What was cut in two is shown as a character that is no part of the text.
  return `${bytes.toString().replace(/\uFFFD+$/, '')}${ellipsis}`;
}

/** The limit of a DNS-1123 subdomain. */
const longestName = 253;

/**
 * The name of an Event: what it is about, as people expect it, and what makes it unique.
 *
 * @param unique lower-case letters and digits
 */
export function eventNameOf(object: string, unique: string): string {
  const room = longestName - unique.length - 1;
  return `${object.slice(0, room).replace(/[-.]+$/, '')}.${unique}`;
}
